// CTC prefix beam search, with or without a language model over a lexicon.
//
// Without a scorer: the text y that maximises ln P(y), P(y) summed over all alignments of y to the frames.
// With one: score(y) = ln P(y) + alpha ln P_lm(<s> y </s>) + beta n over texts of n words of the lexicon.
// Runs of spaces count as one and spaces at the ends as none, so a long pause spelled as several spaces costs
// nothing. Inside a word the beam is ranked with beta + alpha * (largest unigram ln P of any word that can
// still follow). A last word that is cut off (no word of the lexicon) is never written: whole texts come
// first, and if the beam holds none, the words before the fragment are the answer.
//
// With every pruning off and a beam that is never full, the search is exact. Frames may be fed in any pieces;
// memory is bounded by the beam and the length of the text. One object per thread; alphabet and scorer are
// shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "native/alphabet.h"
#include "native/hypothesis.h"
#include "native/prefix_arena.h"
#include "native/scorer.h"
#include "native/time_chain.h"

namespace speechmill {

// What may be cut away. Each pruning is off at its default here.
struct SearchOptions {
  std::size_t beam_width = 100;  // prefixes kept per frame
  // New labels are only tried where their ln P reaches this.
  float label_floor = -std::numeric_limits<float>::infinity();
  // Prefixes this much below the best of the frame are dropped.
  float score_threshold = std::numeric_limits<float>::infinity();
  // Frames whose blank reaches this ln P extend nothing.
  float blank_skip = std::numeric_limits<float>::infinity();

  // exact: no pruning. default: label floor ln 1e-4, threshold 20. fast: label floor ln 1e-3, threshold 12,
  // blank skipped at 0.999. Throws DecodeError for another name.
  static SearchOptions preset(const std::string& mode, std::size_t beam_width);
};

class BeamSearch {
public:
  // `alphabet` and `scorer` (may be null) must outlive the search. Throws DecodeError if they do not fit
  // together.
  BeamSearch(const Alphabet& alphabet, const Scorer* scorer, const SearchOptions& options);

  // Forgets everything fed so far.
  void reset();
  // Takes `frames` rows of alphabet.size() natural-log probabilities. Throws DecodeError on NaN or values
  // above 0.
  void feed(const float* log_probs, std::size_t frames);
  // The best texts for what was fed so far, best first, no text twice; at least one. More may be fed
  // afterwards.
  std::vector<Hypothesis> finish(std::size_t n_best = 1) const;

  const PrefixArena& arena() const { return arena_; }
  const TimeChain& times() const { return times_; }

private:
  // A live prefix. Masses are ln P relative to offset_.
  struct Beam {
    std::uint32_t prefix;
    float non_blank;      // of alignments that end in the prefix' last label
    float blank;          // of alignments that end in blank
    float total;          // of both
    float words;          // alpha * lm + beta * words + look-ahead
    std::uint32_t times;  // frames of its labels
  };
  // A prefix that would be new in the beam.
  struct Candidate {
    float score;
    float mass;
    float words;
    std::uint32_t parent;
    std::uint32_t existing;  // its index when the arena still holds it
    std::int32_t label;
    std::uint32_t trie;
    std::uint32_t times;  // of the parent
  };

  // A live prefix (index below the beam's size) or a candidate (the rest) by its score.
  struct Ranked {
    float score;
    std::uint32_t index;
  };

  void step(const float* row);
  void read_row(const float* row);
  void skip_frame();
  void update_live();
  void expand_free(std::size_t slot);
  void expand_lexicon(std::size_t slot);
  void expand_space(std::size_t slot);
  void offer(std::size_t slot, std::int32_t label, float mass, float words, std::uint32_t trie);
  void shrink_candidates();
  void select();
  void admit(const Candidate& candidate);
  void renormalise();
  void note_score(float score);
  bool is_boundary(std::uint32_t prefix) const;
  bool is_whole(std::uint32_t prefix) const;
  WordContext after_word(std::uint32_t prefix) const;
  std::vector<TimedLabel> path_to(std::uint32_t prefix, std::uint32_t times) const;
  Hypothesis make_hypothesis(std::uint32_t prefix, std::uint32_t times, double mass) const;
  std::vector<Hypothesis> whole_texts() const;
  Hypothesis without_fragment() const;

  const Alphabet& alphabet_;
  const Scorer* scorer_;
  SearchOptions options_;
  int space_ = -1;  // label number, -1 without
  PrefixArena arena_;
  std::vector<Beam> beams_;
  std::vector<Beam> before_;  // the beam of the frame before
  std::vector<Candidate> candidates_;
  std::vector<Ranked> ranked_;
  std::vector<std::uint32_t> dropped_;
  TimeChain times_;
  std::vector<std::uint32_t> old_times_;  // chains replaced in this frame, dropped at its end
  std::vector<float> labels_;             // ln P by label number in this frame
  std::vector<std::int32_t> allowed_;     // label numbers above the floor, without a scorer
  std::uint32_t allowed_mask_ = 0;        // the same as bits, with one
  float blank_ = 0.0F;                    // ln P of the blank in this frame
  float best_ = 0.0F;                     // highest score in this frame so far
  float bound_ = 0.0F;                    // candidates at or below it cannot enter the beam
  double offset_ = 0.0;                   // ln P taken out of all masses
  int frame_ = 0;
};

}  // namespace speechmill
