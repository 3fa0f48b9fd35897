// speechmill-decode: CTC log-probabilities in .npy files and a language model folder -> texts. The
// decoder without Python. Answers go to standard output, one sentence about a failure to standard error.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "programs/decode_options.h"
#include "programs/npy.h"
#include "search/batch.h"

namespace speechmill {
namespace {

// The utterances of one array: a batch as it lies in it, and their names.
struct Utterances {
  std::vector<std::string> names;
  std::vector<float>* values = nullptr;
  Batch batch;
};

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text;
  for (const std::size_t side : shape) text += (text.empty() ? "" : ", ") + std::to_string(side);
  return "[" + text + "]";
}

Utterances utterances_of(NpyArray* array) {
  const std::vector<std::size_t>& shape = array->shape;
  if (shape.size() != 2 && shape.size() != 3) {
    throw DecodeError(array->name + ": shape " + shape_text(shape) +
                      " is neither [frames, labels] nor [utterances, frames, labels]");
  }
  Utterances found;
  found.values = &array->values;
  found.batch.log_probs = array->values.data();
  found.batch.utterances = shape.size() == 3 ? shape[0] : 1;
  found.batch.frames = shape[shape.size() - 2];
  found.batch.labels = shape.back();
  found.batch.lengths.assign(found.batch.utterances, found.batch.frames);
  for (std::size_t i = 0; i < found.batch.utterances; ++i) {
    found.names.push_back(shape.size() == 2 ? array->name : array->name + "[" + std::to_string(i) + "]");
  }
  return found;
}

// The shortest text that reads back as the same float; JSON has no infinity.
std::string number(float value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", static_cast<double>(value));
  return text;
}

// The frames of each utterance of a padded batch, from a .npy file of their own.
void set_lengths(const std::string& file, Utterances* found) {
  const std::vector<float> lengths = read_array(file).values;
  if (lengths.size() != found->batch.utterances) {
    throw DecodeError(file + ": " + std::to_string(lengths.size()) + " lengths for " +
                      std::to_string(found->batch.utterances) + " utterances");
  }
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const float length = lengths[i];
    if (!(length >= 0.0F) || length > static_cast<float>(found->batch.frames) ||
        length != std::floor(length)) {
      throw DecodeError(file + ": length " + number(length) + " of utterance " + std::to_string(i) +
                        " is not a number of frames from 0 to " + std::to_string(found->batch.frames));
    }
    found->batch.lengths[i] = static_cast<std::size_t>(length);
  }
}

void log_softmax(std::vector<float>* values, std::size_t labels) {
  for (std::size_t start = 0; labels > 0 && start + labels <= values->size(); start += labels) {
    float* row = values->data() + start;
    const float highest = *std::max_element(row, row + labels);
    double sum = 0.0;
    for (std::size_t i = 0; i < labels; ++i) sum += std::exp(static_cast<double>(row[i] - highest));
    const auto total = static_cast<float>(std::log(sum)) + highest;
    for (std::size_t i = 0; i < labels; ++i) row[i] -= total;
  }
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
      result += code;
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string json_of(const Hypothesis& found) {
  std::string words;
  for (const WordTime& word : found.words) {
    words += std::string(words.empty() ? "" : ", ") + "{\"word\": " + quoted(word.word) +
             ", \"start_frame\": " + std::to_string(word.start_frame) +
             ", \"end_frame\": " + std::to_string(word.end_frame) +
             ", \"confidence\": " + number(word.confidence) + "}";
  }
  return "{\"text\": " + quoted(found.text) + ", \"score\": " + number(found.score) +
         ", \"acoustic\": " + number(found.acoustic) + ", \"lm\": " + number(found.lm) +
         ", \"lm_score\": " + number(found.lm_score) + ", \"word_score\": " + number(found.word_score) +
         ", \"oov_score\": " + number(found.oov_score) + ", \"words\": [" + words + "]}";
}

void write_answer(const DecodeCommand& command, const std::string& name,
                  const std::vector<Hypothesis>& found) {
  if (command.json) {
    std::string list;
    for (const Hypothesis& one : found) list += (list.empty() ? "" : ", ") + json_of(one);
    std::cout << "{\"utterance\": " << quoted(name) << ", \"hypotheses\": [" << list << "]}\n";
  } else if (command.decoder.n_best == 1) {
    std::cout << found.front().text << '\n';
  } else {
    for (std::size_t rank = 0; rank < found.size(); ++rank) {
      std::cout << name << '\t' << rank + 1 << '\t' << number(found[rank].score) << '\t' << found[rank].text
                << '\n';
    }
  }
}

// What all files are decoded with.
struct Decoder {
  const Alphabet& alphabet;
  const Scorer* scorer;
  const SearchOptions& options;
};

void decode_file(const std::string& file, const DecodeCommand& command, const Decoder& decoder) {
  NpyArray array = read_array(file);
  Utterances some = utterances_of(&array);
  if (!command.lengths.empty()) set_lengths(command.lengths, &some);
  if (command.logits) log_softmax(some.values, some.batch.labels);
  std::vector<std::vector<Hypothesis>> answers;
  try {
    answers = decode_batch(some.batch, decoder.alphabet, decoder.scorer, decoder.options,
                           command.decoder.n_best, command.threads);
  } catch (const DecodeError& failure) {
    throw DecodeError(file + ": " + failure.what());
  }
  for (std::size_t i = 0; i < answers.size(); ++i) write_answer(command, some.names[i], answers[i]);
}

// Returns the exit status: 1 where a file could not be read or decoded; the others were.
int decode_files(const DecodeCommand& command) {
  std::unique_ptr<const Scorer> scorer;
  if (!command.language_model.empty()) {
    scorer = std::make_unique<Scorer>(
        Scorer::load(command.language_model, {command.decoder.alpha, command.decoder.beta}));
  }
  const Alphabet alphabet =
      command.alphabet.empty() ? scorer->alphabet() : Alphabet::load(command.alphabet, command.blank);
  const SearchOptions options = search_options(command.decoder, scorer != nullptr);
  int failed = 0;
  for (const std::string& file : command.files) {
    try {
      decode_file(file, command, {alphabet, scorer.get(), options});
    } catch (const DecodeError& failure) {  // the other files may be good
      std::cerr << "speechmill-decode: " << failure.what() << '\n';
      ++failed;
    }
  }
  std::cout.flush();
  if (!std::cout) throw DecodeError("standard output cannot be written; is the disk full?");
  return failed == 0 ? 0 : 1;
}

int run(const std::vector<std::string>& arguments) {
  try {
    const DecodeCommand command = parse_command(arguments);
    if (command.help) {
      std::cout << usage();
      return 0;
    }
    return decode_files(command);
  } catch (const UsageError& failure) {
    std::cerr << "speechmill-decode: " << failure.what() << "; --help lists the options\n";
    return 2;
  } catch (const std::exception& failure) {
    std::cerr << "speechmill-decode: " << failure.what() << '\n';
    return 1;
  }
}

}  // namespace
}  // namespace speechmill

int main(int count, char** arguments) {
  return speechmill::run({arguments + 1, arguments + count});
}
