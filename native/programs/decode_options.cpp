#include "programs/decode_options.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>

#include "base/error.h"

namespace speechmill {
namespace {

double real(const std::string& flag, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') throw UsageError(flag + " " + text + " is not a number");
  return value;
}

int whole(const std::string& flag, const std::string& text, int lowest) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < lowest || value > 1'000'000) {
    throw UsageError(flag + " " + text + " is not a whole number from " + std::to_string(lowest) +
                     " to 1000000");
  }
  return static_cast<int>(value);
}

// A setting of the decoder as an option: --beam-width.
std::string flag_of(const Setting& setting) {
  std::string flag = std::string("--") + setting.name;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.7g", value);
  return text;
}

std::string settings_usage() {
  std::string text;
  for (const Setting& setting : decoder_settings()) {
    text += "  " + flag_of(setting) + " N  " + setting.help +
            (setting.has_standard() ? " (default " + number(setting.standard) + ")\n"
                                    : " (default: as --mode says)\n");
  }
  return text;
}

}  // namespace

std::string usage() {
  return std::string() +
         "usage: speechmill-decode [--lm DIR] [--alphabet FILE] [options] FILE...\n"
         "\n"
         "Writes the text of every utterance in FILE: CTC log-probabilities as numpy saves them,\n"
         "as .npy files of [frames, labels] or [utterances, frames, labels].\n"
         "\n"
         "  --lm DIR         language model folder (lm.binary, lexicon.trie, alphabet.txt)\n"
         "  --alphabet FILE  labels, one per line, the blank not among them (default: that of --lm)\n"
         "  --lengths FILE   frames of each utterance of FILE, if they are padded: .npy of [utterances]\n"
         "  --blank N        output index of the blank; -1 is the last (default; with --lm the trie's)\n"
         "  --mode MODE      exact, default or fast (default: default)\n"
         "  --open-vocabulary  words outside the lexicon may be written\n"
         "  --threads N      utterances decoded at once (default 1)\n" +
         settings_usage() +
         "  --logits         the numbers are logits: log_softmax comes first\n"
         "  --json           one JSON object per utterance instead of its text\n"
         "  --help           this text\n"
         "\n"
         "With --n-best above 1 lines are name, rank, score and text, parted by tabs.\n"
         "Exit status: 0 done, 1 a file cannot be read or decoded (the others are), 2 unusable command "
         "line.\n";
}

DecodeCommand parse_command(const std::vector<std::string>& arguments) {
  DecodeCommand command;
  using Take = std::function<void(const std::string&, const std::string&)>;
  std::map<std::string, Take> valued = {
      {"--lm", [&](auto&, auto& text) { command.language_model = text; }},
      {"--alphabet", [&](auto&, auto& text) { command.alphabet = text; }},
      {"--lengths", [&](auto&, auto& text) { command.lengths = text; }},
      {"--blank", [&](auto& flag, auto& text) { command.blank = whole(flag, text, -1); }},
      {"--mode", [&](auto&, auto& text) { command.decoder.mode = text; }},
      {"--threads",
       [&](auto& flag, auto& text) { command.threads = static_cast<std::size_t>(whole(flag, text, 1)); }},
  };
  for (const Setting& setting : decoder_settings()) {
    valued[flag_of(setting)] = [&command, &setting](auto& flag, auto& text) {
      try {
        setting.put(&command.decoder, checked(setting, real(flag, text)));
      } catch (const DecodeError& failure) {
        throw UsageError(failure.what());
      }
    };
  }
  const std::map<std::string, bool*> switches = {{"--json", &command.json},
                                                 {"--open-vocabulary", &command.decoder.open_vocabulary},
                                                 {"--logits", &command.logits},
                                                 {"--help", &command.help}};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string flag = arguments[i];
    if (flag.size() < 2 || flag[0] != '-') {
      command.files.push_back(flag);
      continue;
    }
    if (const auto found = switches.find(flag); found != switches.end()) {
      *found->second = true;
      continue;
    }
    const std::size_t equals = flag.find('=');
    const bool joined = equals != std::string::npos;
    const std::string value = joined ? flag.substr(equals + 1) : "";
    flag = flag.substr(0, equals);
    const auto found = valued.find(flag);
    if (found == valued.end()) throw UsageError("unknown option " + flag);
    if (!joined && i + 1 == arguments.size()) throw UsageError(flag + " needs a value");
    found->second(flag, joined ? value : arguments[++i]);
  }
  if (command.help) return command;
  if (command.files.empty()) throw UsageError("no file is named");
  if (command.language_model.empty() && command.alphabet.empty()) {
    throw UsageError("name a language model (--lm) or at least an alphabet (--alphabet)");
  }
  if (!command.lengths.empty() && command.files.size() != 1) {
    throw UsageError("--lengths belongs to one file, not to " + std::to_string(command.files.size()));
  }
  try {
    search_options(command.decoder, !command.language_model.empty());
  } catch (const DecodeError& failure) {
    throw UsageError(failure.what());
  }
  return command;
}

}  // namespace speechmill
