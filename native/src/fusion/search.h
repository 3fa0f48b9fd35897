// The beam search of pyctcdecode: words are free, a language model weighs them as they end (shallow fusion).
//
// Unlike search/beam_search.h it has no lexicon that forbids: unknown words cost. Beams hold text, the word
// being written and the newest label; where two come to the same they are added. All scores are natural
// logarithms in double, added in the order in which pyctcdecode adds them, so that answers are equal to its
// own. Not here: the network's softmax (Python does it), and models that are not KenLM's
// (native/pyctcdecode/search.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fusion/beginnings.h"
#include "scorer/language_model.h"

namespace speechmill::fusion {

// Labels of a network; "" is the blank. Letters: " " ends a word. Pieces of words: "▁" begins one.
struct Labels {
  std::vector<std::string> names;
  bool pieces = false;
};

// What is known of words; both may be missing. Shared by searches, immutable.
struct Words {
  std::shared_ptr<const LanguageModel> model;
  std::optional<Beginnings> known;
};

struct Weights {
  double alpha = 0.5;
  double beta = 1.5;
  double unknown_log10 = -10.0;
  bool boundary = true;  // sentences begin and end
};

struct HotWords {
  Beginnings words;
  double weight = 0.0;
};

struct Cuts {
  std::size_t beam_width = 100;
  double beam_floor = -10.0;   // beams that much worse than the best go
  double label_floor = -5.0;   // labels less probable than that are not tried, but for the best
  bool prune_history = false;  // of beams that the model cannot tell apart any more the best stays
};

struct Answer {
  std::vector<std::string> words;
  std::vector<std::pair<std::int32_t, std::int32_t>> frames;  // of the words, the end excluded
  double network = 0.0;
  double total = 0.0;
  LmState state{};  // after the last word; of no meaning without a model
};

// One utterance's search. The referred objects must live as long as the call.
// Throws DecodeError for labels that hold blanks or tabs inside.
std::vector<Answer> decode(const double* log_probs, std::size_t frames, const Labels& labels,
                           const Words& words, const Weights& weights, const HotWords& hot_words,
                           const Cuts& cuts, const LmState* start);

}  // namespace speechmill::fusion
