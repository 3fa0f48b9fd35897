#include "programs/decode_options.h"

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>

namespace speechmill {
namespace {

float real(const std::string& flag, const std::string& text) {
  char* end = nullptr;
  const float value = std::strtof(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value))
    throw UsageError(flag + " " + text + " is not a number");
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

std::size_t count(const std::string& flag, const std::string& text) {
  return static_cast<std::size_t>(whole(flag, text, 1));
}

}  // namespace

const char* usage() {
  return "usage: speechmill-decode [--lm DIR] [--alphabet FILE] [options] FILE...\n"
         "\n"
         "Writes the text of every utterance in FILE: CTC log-probabilities as numpy saves them,\n"
         "as .npy files of [frames, labels] or [utterances, frames, labels].\n"
         "\n"
         "  --lm DIR         language model folder (lm.binary, lexicon.trie, alphabet.txt)\n"
         "  --alphabet FILE  labels, one per line, the blank not among them (default: that of --lm)\n"
         "  --lengths FILE   frames of each utterance of FILE, if they are padded: .npy of [utterances]\n"
         "  --blank N        output index of the blank; -1 is the last (default; with --lm the trie's)\n"
         "  --alpha A        weight of the language model's natural logarithm (default 0.5)\n"
         "  --beta B         bonus per word (default 1.5)\n"
         "  --mode MODE      exact, default or fast (default: default)\n"
         "  --beam N         prefixes kept per frame (default 100)\n"
         "  --n-best N       texts per utterance (default 1)\n"
         "  --threads N      utterances decoded at once (default 1)\n"
         "  --open-vocabulary  words outside the lexicon may be written\n"
         "  --oov-penalty P  what each of them adds to the score (default -1)\n"
         "  --oov-letter-penalty P  and each of its letters times alpha, 0 or below (default -1.4)\n"
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
  const std::map<std::string, Take> valued = {
      {"--lm", [&](auto&, auto& text) { command.language_model = text; }},
      {"--alphabet", [&](auto&, auto& text) { command.alphabet = text; }},
      {"--lengths", [&](auto&, auto& text) { command.lengths = text; }},
      {"--blank", [&](auto& flag, auto& text) { command.blank = whole(flag, text, -1); }},
      {"--alpha", [&](auto& flag, auto& text) { command.alpha = real(flag, text); }},
      {"--beta", [&](auto& flag, auto& text) { command.beta = real(flag, text); }},
      {"--oov-penalty", [&](auto& flag, auto& text) { command.oov_penalty = real(flag, text); }},
      {"--oov-letter-penalty",
       [&](auto& flag, auto& text) { command.oov_letter_penalty = real(flag, text); }},
      {"--mode", [&](auto&, auto& text) { command.mode = text; }},
      {"--beam", [&](auto& flag, auto& text) { command.beam_width = count(flag, text); }},
      {"--n-best", [&](auto& flag, auto& text) { command.n_best = count(flag, text); }},
      {"--threads", [&](auto& flag, auto& text) { command.threads = count(flag, text); }},
  };
  const std::map<std::string, bool*> switches = {{"--json", &command.json},
                                                 {"--open-vocabulary", &command.open_vocabulary},
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
  if (command.alpha < 0.0F) throw UsageError("--alpha must be at least 0");
  if (command.mode != "exact" && command.mode != "default" && command.mode != "fast") {
    throw UsageError("--mode " + command.mode + " is not one of exact, default, fast");
  }
  return command;
}

}  // namespace speechmill
