// CTC prefix beam search, with or without a language model over a lexicon.
//
// Without a scorer: the text y that maximises ln P(y), P(y) summed over all alignments of y to the frames.
// With one: score(y) = ln P(y) + alpha ln P_lm(<s> y </s>) + beta n over texts of n words of the lexicon, or
// over any texts with open_vocabulary (then + oov_penalty for every word the lexicon lacks, which the
// language model scores as <unk>, and + alpha * oov_letter_penalty for each of its labels). With hot words: +
// boost for every occurrence of a phrase. Where the language model's unit is the character, n counts
// characters and no space stands between them. Runs of spaces count as one and spaces at the ends as none, so
// a long pause spelled as several spaces costs nothing. Inside a word the beam is ranked with beta + alpha *
// (largest unigram ln P of any word that can still follow). A last word that is cut off (no word of the
// lexicon) is never written: whole texts come first, and if the beam holds none, the words before the
// fragment are the answer.
//
// With every pruning off and a beam that is never full, the search is exact. Frames may be fed in any pieces;
// the pieces do not change the answer. What the search holds is bounded by the beam, however long the audio:
// labels that all of the beam agrees on are settled and kept as eight bytes each. One object per thread;
// alphabet, scorer and hot words are shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "scorer/alphabet.h"
#include "scorer/scorer.h"
#include "search/hot_words.h"
#include "search/hypothesis.h"

namespace speechmill {

// What may be cut away, and what may be written. Each pruning is off at its default here.
struct SearchOptions {
  std::size_t beam_width = 100;  // prefixes kept per frame
  // New labels are only tried where their ln P reaches this.
  float label_floor = -std::numeric_limits<float>::infinity();
  // Prefixes this much below the best of the frame are dropped.
  float score_threshold = std::numeric_limits<float>::infinity();
  // At so many live prefixes or more half of the threshold counts, at fewer proportionally more; 0: all of it
  // always.
  std::size_t crowd = 0;
  // Frames whose blank reaches this ln P extend nothing.
  float blank_skip = std::numeric_limits<float>::infinity();

  // So many labels of the best text may be in doubt; older doubts are decided for it (tried now and then).
  // Keeps cost and memory per frame the same however long the audio.
  std::size_t doubt_labels = 400;

  bool open_vocabulary = false;      // with a scorer: words outside the lexicon may be written
  float oov_penalty = -1.0F;         // each of them adds this to the score
  float oov_letter_penalty = -1.4F;  // and each of their labels alpha times this, 0 or below
  std::shared_ptr<const HotWords> hot_words;

  // exact: no pruning. default and fast: see docs/decoder.md for what they cut and what it costs; above an
  // `alpha` of 0.5 they cut less. Throws DecodeError for another name.
  static SearchOptions preset(const std::string& mode, std::size_t beam_width, float alpha = 0.5F);
};

// What a search holds at the moment, in elements; for tests of the bound.
struct SearchUsage {
  std::size_t prefixes = 0;
  std::size_t times = 0;
  std::size_t settled = 0;  // labels of the answer that can no longer change
};

namespace search {
class Search;
}

class BeamSearch {
public:
  // `alphabet` and `scorer` (may be null) must outlive the search. Throws DecodeError if they do not fit
  // together.
  BeamSearch(const Alphabet& alphabet, const Scorer* scorer, const SearchOptions& options);
  ~BeamSearch();
  BeamSearch(BeamSearch&&) noexcept;
  BeamSearch& operator=(BeamSearch&&) noexcept;

  // Forgets everything fed so far.
  void reset();
  // Takes `frames` rows of alphabet.size() natural-log probabilities. Throws DecodeError on NaN or values
  // above 0.
  void feed(const float* log_probs, std::size_t frames);
  // The best texts for what was fed so far, best first, no text twice; at least one. Equal scores stand in
  // the order of their texts' bytes. More may be fed afterwards.
  std::vector<Hypothesis> finish(std::size_t n_best = 1) const;

  std::size_t frames() const;  // fed so far
  SearchUsage usage() const;

private:
  std::unique_ptr<search::Search> search_;
};

}  // namespace speechmill
