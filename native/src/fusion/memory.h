// What a search remembers while it runs: words being written, texts of whole words with their scores, frames
// of words. Everything is kept once and named by a number, so that beams are small and equal texts have equal
// numbers.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fusion/search.h"

namespace speechmill::fusion {

constexpr std::uint32_t kNone = UINT32_MAX;

// A word, whole or being written; number 0 is the empty one.
struct Word {
  std::string letters;
  double begun = 0.0;   // what it is worth while it is being written
  bool scored = false;  // whether the rest is filled in
  bool unknown = false;
  bool hot = false;
  std::uint32_t index = 0;  // in the language model
};

// A text of whole words; number 0 is the empty one.
struct Text {
  std::uint32_t before = kNone;
  std::uint32_t word = 0;
  std::uint32_t hot_words = 0;
  LmState state{};
  double model = 0.0;  // the language model's part
  double total = 0.0;  // with hot words
};

class Memory {
public:
  Memory(const Words& words, const Weights& weights, const HotWords& hot_words, const LmState* start);

  // The word with a piece after it.
  std::uint32_t longer(std::uint32_t word, std::uint32_t label, const std::string& piece);
  // The text with a word after it, scored; the same text for the empty word.
  std::uint32_t longer_text(std::uint32_t text, std::uint32_t word);
  std::uint32_t add_frames(std::uint32_t before, std::int32_t start, std::int32_t end);

  const Text& text(std::uint32_t number) const { return texts_[number]; }
  double worth_of_begun(std::uint32_t word) const { return words_[word].begun; }
  bool has_model() const { return known_.model != nullptr; }
  int order() const { return has_model() ? known_.model->order() : 1; }
  const Weights& weights() const { return weights_; }

  // The end of a text: what its last word and the sentence's end are worth, and the state after that word.
  double end_score(std::uint32_t text, std::uint32_t word, LmState* after);
  double hot_score(std::uint32_t text) const {
    return hot_words_.weight * static_cast<double>(texts_[text].hot_words);
  }

  std::vector<std::string> words_of(std::uint32_t text) const;
  std::vector<std::pair<std::int32_t, std::int32_t>> frames_of(std::uint32_t number) const;

private:
  struct FrameNode {
    std::uint32_t before;
    std::int32_t start;
    std::int32_t end;
  };

  std::uint32_t named(std::string letters);
  Word& filled(std::uint32_t word);
  double worth(const std::string& letters) const;
  double word_log10(const LmState& state, std::uint32_t word, LmState* after);

  const Words& known_;
  const Weights& weights_;
  const HotWords& hot_words_;
  std::vector<Word> words_;
  std::vector<Text> texts_;
  std::vector<FrameNode> frames_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::unordered_map<std::uint64_t, std::uint32_t> longer_words_;
  std::unordered_map<std::uint64_t, std::uint32_t> longer_texts_;
};

}  // namespace speechmill::fusion
