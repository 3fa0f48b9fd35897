// The inside of BeamSearch: what a frame does to the beam. Not a public header.
//
// Per live prefix two kinds of facts are kept: those that change in every frame (three masses, in arrays that
// are worked through several at a time) and those that only change when a prefix enters the beam (Live). A
// frame runs through update() (every live prefix on by one frame), expand() (longer prefixes that may enter)
// and select(). The score a newcomer must beat is known from the beginning and rises while candidates arrive
// (Cut), so that most of them are refused before anything is computed or stored for them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "search/beam_cut.h"
#include "search/beam_search.h"
#include "search/piece_steps.h"
#include "search/prefix_arena.h"
#include "search/time_chain.h"

namespace speechmill::search {

constexpr std::uint32_t kOffTrie = UINT32_MAX;  // lexicon node of a word that the lexicon lacks
constexpr std::size_t kFirstSlots = 128;        // of the beam that there is room for from the beginning
constexpr std::size_t kMaskBins = 64;
constexpr float kMaskBinsPerNat = 4.0F;
constexpr float kRounding = 1e-3F;  // nats that two ways of adding up one score may differ by
constexpr double kLeastShare =
    1e-7;  // of the beam's probability: less does not count for a word's confidence
constexpr double kLeastDecidedShare = 1e-4;  // the same where it is asked for often
constexpr int kFramesBetweenDoubts = 64;     // how often old doubts are looked for
constexpr std::size_t kMaskLabels = 64;      // alphabets up to here are handled as sets of bits

// ln P relative to the search's offset.
struct Masses {
  std::vector<float> non_blank;  // of alignments that end in the prefix' last label
  std::vector<float> blank;      // of alignments that end in blank
  std::vector<float> total;      // of both
};

// What stays as it is while a prefix is in the beam.
struct Live {
  std::uint32_t prefix;
  std::uint32_t parent;
  std::int32_t label;    // label number; at the first root the space's, or one past the last
  bool boundary;         // between words
  std::uint32_t times;   // chain of the frames of its labels
  std::uint32_t bitmap;  // of its lexicon node (kind kBitmap)
  std::uint32_t first_child;
  std::uint32_t word;  // of its lexicon node
  float base;          // words part of a child, but for what is not known before its word ends
  float unknown;       // words part of a child outside the lexicon (kind kBitmapWords, open vocabulary)
};

// A score and what it is made of, in nats.
struct ScoreParts {
  double acoustic = 0.0;
  double lm = 0.0;           // unweighted
  double weighted_lm = 0.0;  // alpha * lm
  double words = 0.0;        // beta * words
  double unknown = 0.0;      // oov_penalty * words outside the lexicon
  double hot_words = 0.0;
  double sum = 0.0;  // of all but lm
};

// A prefix that may enter the beam.
struct Candidate {
  float score;
  float words;
  std::uint32_t slot;  // of its parent
  std::int32_t label;
  std::uint32_t trie;
};

// A live prefix (index below the beam's size) or a candidate (the rest) by its score.
struct Ranked {
  float score;
  std::size_t index;
  bool operator<(const Ranked& other) const {  // better
    return score != other.score ? score > other.score : index < other.index;
  }
};

class Search {
public:
  Search(const Alphabet& alphabet, const Scorer* scorer, const SearchOptions& options);

  void reset();
  void feed(const float* log_probs, std::size_t frames);
  std::vector<Hypothesis> finish(std::size_t n_best) const;
  std::size_t frames() const { return static_cast<std::size_t>(frame_); }
  SearchUsage usage() const { return {arena_.used(), times_.used(), settled_.size()}; }

private:
  enum class Kind { kFree, kBitmapWords, kGeneral, kPieces, kPronounced };
  // A text that the beam stands for.
  struct Ending {
    std::uint32_t prefix;  // without a trailing space
    std::uint32_t times;
    double mass;
    float heaviest;  // of the masses summed up in `mass`
    ScoreParts parts;
    std::uint32_t choice = 0;  // which of the words of one pronunciation is the last; kNone: none has ended
  };
  struct HotStep {
    std::uint32_t state;
    float earned;  // on the way there
  };
  struct NewTimes {
    std::uint32_t slot;
    std::uint32_t times;
  };
  struct Newcomer {
    Live live;
    float mass;
    float words;
  };

  void check_options() const;
  void check_hot_words() const;
  void set_pieces();

  // beam_search.cpp: a frame
  void step(const float* row);
  void read_row(const float* row);
  void skip_frame();
  float threshold_of(std::size_t live) const;
  void update();
  void gather(std::size_t slot);
  void pass_over();

  // beam_expand.cpp: what may enter
  void expand();
  void expand_free(std::size_t slot);
  void expand_words(std::size_t slot);
  void expand_unknown(std::size_t slot);
  void expand_general(std::size_t slot);
  void expand_space(std::size_t slot);
  void offer_general(std::size_t slot, std::int32_t label, float mass);
  bool is_taken(std::size_t slot, std::int32_t label) const;
  // The labels (and a few just below) whose ln P is above `floor` in this frame.
  std::uint64_t labels_above(float floor) const {
    const float bin = (top_label_ - floor) * kMaskBinsPerNat;
    if (!(bin > 0.0F)) return 0;
    return masks_[static_cast<std::size_t>(std::min(bin, static_cast<float>(kMaskBins - 1)))];
  }
  void offer(const Candidate& candidate);
  float hot_part(const Prefix& parent, std::int32_t label) const;
  WordContext after_word(std::uint32_t prefix) const;
  WordContext after_word(const WordContext& context, std::uint32_t trie, std::uint32_t letters) const;
  float price(const WordContext& context) const;
  float hope(std::uint32_t trie, std::uint32_t letters) const;
  float unknown_hope(std::uint32_t letters) const;
  float unknown_price(std::uint32_t letters) const;
  double penalty(const WordContext& context) const;
  float unknown_lm(std::uint32_t context);
  bool may_end(std::uint32_t trie) const;

  // beam_pieces.cpp: labels that are pieces of words
  bool ends_word(const Prefix& prefix, std::int32_t label) const;
  void expand_pieces(std::size_t slot);
  void offer_piece(std::size_t slot, std::int32_t label, float mass);
  void enter_piece(Prefix* prefix, const Prefix& parent, std::int32_t label) const;
  HotStep hot_step(const Prefix& parent, std::int32_t label) const;
  void merge_spellings(std::vector<Ending>* all) const;

  // beam_pronounced.cpp: a lexicon of pronunciations, where one sequence of labels may be several words. The
  // space behind the first of them is the space; behind each other it has a label number of its own, past the
  // alphabet's, so that what tells two texts apart tells their prefixes apart.
  bool is_space(std::int32_t label) const { return label == space_ || label > past_; }
  std::uint32_t choice_of(std::int32_t space) const {
    return space == space_ ? 0 : static_cast<std::uint32_t>(space - past_);
  }
  void check_pronounced() const;
  void expand_pronounced(std::size_t slot);
  void offer_words(std::size_t slot);
  void end_words(std::uint32_t prefix);
  WordContext after_spoken(const WordContext& context, std::uint32_t place) const;
  std::uint32_t alike(std::uint32_t trie) const;
  // In answers such a space is the number of the alphabet's outputs plus the place of the word that it ends.
  bool is_gap(int output) const {
    return output == alphabet_.space() || output >= static_cast<int>(alphabet_.size());
  }
  TimedLabel timed(std::uint32_t prefix, std::uint32_t times) const;
  void end_last_word(const Ending& ending, std::vector<TimedLabel>* path) const;
  void spell_answer(const std::vector<TimedLabel>& path, Hypothesis* hypothesis) const;
  void spell_words(const std::vector<TimedLabel>& path, Hypothesis* hypothesis) const;

  // beam_select.cpp: who stays
  void select();
  void keep(const Candidate& candidate);
  Live make_live(std::uint32_t prefix) const;
  void place_newcomers();
  void set_slot(std::size_t slot, const Newcomer& newcomer);
  void move_slot(std::size_t from, std::size_t to);
  std::size_t best_slot() const;
  std::size_t labels_below(std::uint32_t above, std::uint32_t prefix) const;
  bool drop_old_doubts();
  void settle_labels();
  void resize_arrays(std::size_t slots);

  // beam_answers.cpp
  bool is_boundary(std::uint32_t prefix) const;
  bool is_between(std::uint32_t prefix) const;
  bool is_whole(std::uint32_t prefix) const;
  std::vector<TimedLabel> open_path(std::uint32_t prefix, std::uint32_t times) const;
  std::vector<TimedLabel> path_to(std::uint32_t prefix, std::uint32_t times) const;
  std::vector<Ending> endings() const;
  Hypothesis without_fragment() const;
  WordContext closed_context(const Ending& ending) const;
  float hot_total(std::uint32_t prefix) const;
  ScoreParts score_parts(const WordContext& context, double mass, float hot_words) const;
  Hypothesis make_hypothesis(const std::vector<TimedLabel>& path, const ScoreParts& parts) const;

  // word_confidence.cpp
  std::vector<TimedLabel> open_words(const Ending& ending) const;
  std::vector<double> rate_open_words(const std::vector<Ending>& all, std::size_t which,
                                      double least_share) const;
  void rate_words(const std::vector<Ending>& all, std::size_t which, Hypothesis* hypothesis) const;
  std::vector<double> rate_decided_words() const;
  void settle_confidence(const std::vector<double>& decided);

  const Alphabet& alphabet_;
  const Scorer* scorer_;
  SearchOptions options_;
  const HotWords* hot_;
  Kind kind_ = Kind::kFree;
  int space_ = -1;         // label number, -1 without
  std::int32_t past_;      // one past the last label number of the alphabet
  bool words_end_ = true;  // words end at spaces (not so where the language model's unit is the character)
  bool open_ = false;      // words outside the lexicon may be written
  float oov_look_ = 0.0F;  // what such a word is expected to add, but for its letters
  float letter_price_ = 0.0F;  // and what each of those adds

  PieceSteps pieces_;         // kind kPieces: over the lexicon's letters, or without one over the spelling
  PieceSteps hot_letters_;    // and over those of the hot words
  int hot_space_ = 0;         // their space, a label number
  float piece_slack_ = 0.0F;  // the most by which words of a child are above its parent's base
  std::unordered_map<std::uint32_t, bool> finishing_;  // lexicon nodes: pieces lead to the end of a word
  float piece_look_ = 0.0F;                            // and above its own

  PrefixArena arena_;
  TimeChain times_;
  std::uint32_t root_ = 0;
  std::vector<TimedLabel> settled_;         // labels before the root
  std::vector<float> settled_confidence_;   // of the words in them that a space ends
  std::vector<double> decided_confidence_;  // of the words not settled when doubts were decided last
  std::size_t rated_labels_ = 0;            // settled labels up to here belong to those words
  std::size_t settle_at_ = 0;               // prefixes in use at which settling is tried

  std::vector<Live> live_;
  Masses now_;
  Masses before_;
  std::vector<float> words_;          // alpha * lm + beta * words + look-ahead + hot words, per slot
  std::vector<float> reach_;          // the most that words_ of a child inside the same word can be
  std::vector<float> score_;          // total + words
  std::vector<float> own_;            // ln P of staying at the same label in this frame
  std::vector<float> arriving_;       // ln P of coming from the parent in this frame
  std::vector<std::uint64_t> taken_;  // labels (mod 64) whose child is live
  std::vector<Candidate> candidates_;
  std::vector<Newcomer> newcomers_;
  std::vector<Ranked> marginal_;        // those of the cut's last bin
  std::vector<std::uint32_t> vacant_;   // slots that fell out in this frame
  std::vector<std::uint32_t> dropped_;  // prefixes that fell out in this frame
  std::vector<NewTimes> new_times_;
  BeamCut cut_;

  std::vector<float> labels_;                     // ln P by label number in this frame, ln 0 at past_
  std::vector<WordContext> ending_;               // of the words that a prefix ends, while they are asked for
  std::vector<std::int32_t> sorted_;              // label numbers above the floor, most probable first
  std::array<std::uint64_t, kMaskBins> masks_{};  // labels at most so many bins below the best
  float top_label_ = 0.0F;                        // ln P of the best label above the floor
  float blank_ = 0.0F;                            // ln P of the blank in this frame
  float threshold_ = 0.0F;                        // nats below best_ that a prefix may be in this frame
  float best_ = 0.0F;                             // highest score in this frame so far
  float top_mass_ = 0.0F;   // best total of the frame before; taken out of the next frame
  float taken_out_ = 0.0F;  // top_mass_ as this frame took it out
  double offset_ = 0.0;     // ln P taken out of all masses
  int frame_ = 0;
};

}  // namespace speechmill::search
