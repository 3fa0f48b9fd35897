// Phrases that a search shall prefer (or avoid), each with a boost in nats.
//
// A text scores boost(p) for every occurrence of a phrase p as whole words, once per occurrence, at the end
// of the text as anywhere else. While a phrase is being spelled, the beam is ranked with the share of its
// boost that its letters so far have earned; the share is given back when the phrase fails, so it never
// reaches a score. All phrases are followed at once by one automaton over labels (Aho and Corasick, 1975)
// that enters a phrase only where a word begins. Alphabets without a space: phrases stand anywhere. Of an
// alphabet of pieces its spelling is followed, letter by letter.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "scorer/alphabet.h"

namespace speechmill {

// A phrase is written again and again, heard or not, where its boost outweighs what its letters cost.
constexpr float kLeastBoost = -1000.0F;
constexpr float kMostBoostPerLetter = 6.0F;

// Why hot words and a lexicon of pronunciations do not go together.
constexpr const char* kHotWordsAndSounds =
    "the language model's lexicon is of pronunciations: hot words are followed letter by letter, which it "
    "does "
    "not know; decode without hot_words";

class HotWords {
public:
  // Phrases of words separated by blanks. Throws DecodeError for an empty phrase, one that the alphabet
  // cannot spell, one that appears twice, and a boost below kLeastBoost or above kMostBoostPerLetter for each
  // label of the phrase.
  HotWords(const std::vector<std::pair<std::string, float>>& phrases, const Alphabet& alphabet);

  // The state before the first label, and after one more label (by label number).
  std::uint32_t start() const { return start_; }
  std::uint32_t next(std::uint32_t state, int label) const {
    return next_[state * labels_ + static_cast<std::size_t>(label)];
  }
  // What phrases that end with the label leading to this state are worth.
  float earned(std::uint32_t state) const { return earned_[state]; }
  // The share of a phrase still being spelled; at least 0.
  float promised(std::uint32_t state) const { return promised_[state]; }
  // What the end of the text earns in this state, as a space would.
  float closing(std::uint32_t state) const { return space_ < 0 ? 0.0F : earned(next(state, space_)); }
  // The most that one more label can add: no earned() + promised() is above it.
  float most() const { return most_; }

  // The words of every phrase, as label numbers; for the search to prove that its lexicon holds them.
  const std::vector<std::pair<std::string, std::vector<int>>>& words() const { return words_; }

private:
  HotWords(const Alphabet& alphabet, const std::vector<std::pair<std::string, float>>& phrases);
  void add(const std::string& phrase, float boost, const Alphabet& alphabet);
  void link();

  std::size_t labels_;
  int space_;
  std::uint32_t start_ = 0;
  std::vector<std::uint32_t> next_;  // [state, label]
  std::vector<float> earned_;
  std::vector<float> promised_;
  float most_ = 0.0F;
  std::vector<std::pair<std::string, std::vector<int>>> words_;
};

}  // namespace speechmill
