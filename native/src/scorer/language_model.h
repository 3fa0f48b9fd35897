// n-gram language models: a context goes in, the next word's probability and the new context come out.
//
// All scores that leave this header are natural logarithms; KenLM speaks log10, and kNaturalPerLog10 below is
// the one place where that changes. Models are immutable after loading and shared by all threads. Not here:
// weights, lexicon, search. `ZeroLanguageModel` stands in where only a lexicon is wanted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace speechmill {

constexpr float kNaturalPerLog10 = 2.302585092994046F;

// What a model remembers of the words before: opaque, copied by value. Large enough for KenLM at order 6.
struct LmState {
  alignas(8) unsigned char bytes[48];
};

// One word of a scored sentence.
struct WordScore {
  std::string word;
  float log10 = 0.0F;
  bool out_of_vocabulary = false;
};

class LanguageModel {
public:
  virtual ~LanguageModel() = default;

  // Loads a KenLM binary of any kind, or an ARPA file (slowly). Throws ScorerError with file and cause.
  static std::shared_ptr<const LanguageModel> load(const std::string& path);

  // Throws ScorerError for a file that is missing, empty or a Git LFS pointer.
  static void check_first_bytes(const std::string& path);

  // The build limits of the KenLM in this library: the longest n-gram it reads, and its version.
  static int highest_order();
  static const char* kenlm_version();

  virtual int order() const = 0;
  // Number of words, <unk>, <s> and </s> among them.
  virtual std::size_t vocabulary_size() const = 0;
  // Index of a word; 0 for words the model does not know.
  virtual std::uint32_t word_index(std::string_view word) const = 0;

  // The state before the first word of a sentence.
  virtual LmState start() const = 0;
  // The state that knows no words: scores from it are unigram probabilities.
  virtual LmState no_context() const = 0;
  // ln P(word | state); `next` receives the state after the word and must not be `state`.
  virtual float score(const LmState& state, std::uint32_t word, LmState* next) const = 0;
  // The same as log10, with no bit lost by the change of base.
  virtual float score_log10(const LmState& state, std::uint32_t word, LmState* next) const = 0;
  // ln P(</s> | state).
  virtual float finish(const LmState& state) const = 0;
  // Index of </s>.
  virtual std::uint32_t end_index() const = 0;

  // Scores words separated by blanks between sentence start and end; the last entry is </s>.
  std::vector<WordScore> score_sentence(std::string_view text) const;
};

// Gives every word the probability one.
class ZeroLanguageModel final : public LanguageModel {
public:
  int order() const override { return 1; }
  std::size_t vocabulary_size() const override { return UINT32_MAX; }
  std::uint32_t word_index(std::string_view) const override { return 1; }
  LmState start() const override { return {}; }
  LmState no_context() const override { return {}; }
  float score(const LmState& state, std::uint32_t, LmState* next) const override {
    *next = state;
    return 0.0F;
  }
  float score_log10(const LmState& state, std::uint32_t word, LmState* next) const override {
    return score(state, word, next);
  }
  float finish(const LmState&) const override { return 0.0F; }
  std::uint32_t end_index() const override { return 1; }
};

}  // namespace speechmill
