// The spell corrector of 2017: greedy text in, words of the lexicon out, ranked by the language model.
//
// A word of the lexicon stays as it is (of a lexicon of pronunciations: is one of the words that sound so).
// For another one all words of the lexicon one edit away are tried, and where there is none, those two edits
// away; where there is none either it stays. An edit inserts, removes or replaces a letter or swaps two
// neighbours; two edits are one after the other, so a letter may come between swapped neighbours. Sentences
// are then built word by word in a beam ranked by
//     ln P_lm(<s> w1 ... wn </s>)
// alone: what the network heard counts only through the candidates. Sentences that the model cannot tell
// apart any more (equal state) are kept once, the better one. Equal scores go to the candidate first in
// order. Immutable and shared by threads. Not here: weights, acoustic scores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scorer/scorer.h"

namespace speechmill {

struct CorrectorOptions {
  std::size_t beam_width = 1024;   // sentences kept per word
  std::size_t max_candidates = 0;  // per word, those of the highest unigram probability; 0 = all
};

class SpellCorrector {
public:
  struct Candidate {
    std::string word;
    std::uint32_t index = 0;  // in the language model; 0 if it does not know the word
  };

  // Throws DecodeError for a beam of zero and for a model of characters.
  SpellCorrector(Scorer scorer, const CorrectorOptions& options);

  // What a word may have been, in the order of its labels; at least one.
  std::vector<Candidate> candidates(std::string_view word) const;
  // Every text corrected; words are what blanks separate. The answer does not depend on `threads`.
  std::vector<std::string> correct(const std::vector<std::string>& texts, std::size_t threads) const;

private:
  std::string best_sentence(const std::vector<const std::vector<Candidate>*>& choices) const;
  void add(std::string letters, std::uint32_t at, std::vector<Candidate>* found) const;
  void keep_frequent(std::vector<Candidate>* found) const;

  Scorer scorer_;
  CorrectorOptions options_;
};

}  // namespace speechmill
