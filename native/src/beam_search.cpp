#include "native/beam_search.h"

#include <algorithm>
#include <cmath>

#include "native/error.h"
#include "native/greedy.h"
#include "native/log_add.h"

namespace speechmill {

SearchOptions SearchOptions::preset(const std::string& mode, std::size_t beam_width) {
  SearchOptions options;
  options.beam_width = beam_width;
  if (mode == "exact") return options;
  if (mode == "default") {
    options.label_floor = std::log(1e-4F);
    options.score_threshold = 20.0F;
    return options;
  }
  if (mode == "fast") {
    options.label_floor = std::log(1e-3F);
    options.score_threshold = 12.0F;
    options.blank_skip = std::log(0.999F);
    return options;
  }
  throw DecodeError("mode \"" + mode + "\" is unknown; there are exact, default and fast");
}

BeamSearch::BeamSearch(const Alphabet& alphabet, const Scorer* scorer, const SearchOptions& options)
    : alphabet_(alphabet), scorer_(scorer), options_(options), labels_(alphabet.labels().size()) {
  if (options_.beam_width < 1) throw DecodeError("beam_width must be at least 1");
  if (alphabet.space() >= 0) space_ = alphabet.label_of(alphabet.space());
  if (scorer_ != nullptr && scorer_->alphabet().hash() != alphabet_.hash()) {
    throw DecodeError("the alphabet of the network (" + std::to_string(alphabet_.labels().size()) +
                      " labels, " + alphabet_.hash().substr(0, 16) +
                      "...) is not that of the language model (" +
                      std::to_string(scorer_->alphabet().labels().size()) + " labels, " +
                      scorer_->alphabet().hash().substr(0, 16) +
                      "...); build the language model with the network's alphabet.txt");
  }
  if (scorer_ != nullptr &&
      (scorer_->trie().kind() != NodeKind::kBitmap || scorer_->trie().info().unit != LmUnit::kWords)) {
    throw DecodeError("the search takes lexicons of words over up to " + std::to_string(kBitmapLabels) +
                      " labels, this one has " + std::to_string(labels_.size()));
  }
  reset();
}

void BeamSearch::reset() {
  WordContext start{};
  if (scorer_ != nullptr) start.state = scorer_->model().start();
  arena_.reset(start);
  arena_[0].slot = 0;
  beams_.assign(1, Beam{0, kImpossible, 0.0F, 0.0F, 0.0F, TimeChain::kEmpty});
  times_.clear();
  offset_ = 0.0;
  frame_ = 0;
}

void BeamSearch::feed(const float* log_probs, std::size_t frames) {
  for (std::size_t t = 0; t < frames; ++t) step(log_probs + t * alphabet_.size());
}

void BeamSearch::step(const float* row) {
  check_frame(row, alphabet_.size(), static_cast<std::size_t>(frame_));
  read_row(row);
  if (blank_ >= options_.blank_skip) {
    skip_frame();
  } else {
    update_live();
    for (std::size_t slot = 0; slot < before_.size(); ++slot) {
      if (scorer_ != nullptr)
        expand_lexicon(slot);
      else
        expand_free(slot);
    }
    select();
  }
  for (const std::uint32_t times : old_times_) times_.drop(times);
  old_times_.clear();
  renormalise();
  ++frame_;
}

void BeamSearch::read_row(const float* row) {
  blank_ = row[alphabet_.blank()];
  allowed_.clear();
  allowed_mask_ = 0;
  for (std::size_t label = 0; label < labels_.size(); ++label) {
    labels_[label] = row[alphabet_.output_of(static_cast<int>(label))];
    if (labels_[label] < options_.label_floor) continue;
    if (scorer_ != nullptr)
      allowed_mask_ |= 1U << label;
    else
      allowed_.push_back(static_cast<std::int32_t>(label));
  }
}

void BeamSearch::skip_frame() {
  for (Beam& beam : beams_) {
    beam.blank = beam.total = beam.total + blank_;
    beam.non_blank = kImpossible;
  }
}

bool BeamSearch::is_boundary(std::uint32_t prefix) const {
  return space_ >= 0 && (prefix == 0 || arena_[prefix].label == space_);
}

void BeamSearch::note_score(float score) {
  best_ = std::max(best_, score);
  bound_ = std::max(bound_, best_ - options_.score_threshold);
}

// Carries every live prefix one frame on: the label again, a blank, or the step from its own parent.
void BeamSearch::update_live() {
  before_ = beams_;
  candidates_.clear();
  best_ = bound_ = kImpossible;
  float worst = std::numeric_limits<float>::infinity();
  for (Beam& beam : beams_) {
    const Prefix& prefix = arena_[beam.prefix];
    const float label = prefix.label >= 0 ? labels_[static_cast<std::size_t>(prefix.label)] : kImpossible;
    const float old_total = beam.total;
    float non_blank = label + beam.non_blank;
    if (is_boundary(beam.prefix)) non_blank = labels_[static_cast<std::size_t>(space_)] + old_total;
    beam.blank = blank_ + old_total;
    if (prefix.parent != kNone && arena_[prefix.parent].slot != kNone) {
      const Beam& parent = before_[arena_[prefix.parent].slot];
      const float arriving =
          label + (arena_[prefix.parent].label == prefix.label ? parent.blank : parent.total);
      if (arriving > std::max(non_blank, beam.blank)) {  // the better alignment takes the label here
        old_times_.push_back(beam.times);
        beam.times = times_.extend(parent.times, frame_);
      }
      non_blank = log_add(non_blank, arriving);
    }
    beam.non_blank = non_blank;
    beam.total = log_add(non_blank, beam.blank);
    note_score(beam.total + beam.words);
    worst = std::min(worst, beam.total + beam.words);
  }
  // A full beam: nothing can enter below its worst member.
  if (beams_.size() >= options_.beam_width) bound_ = std::max(bound_, worst);
}

void BeamSearch::offer(std::size_t slot, std::int32_t label, float mass, float words, std::uint32_t trie) {
  const float score = mass + words;
  if (!(score > bound_)) return;
  const std::uint32_t parent = before_[slot].prefix;
  const std::uint32_t existing = arena_.find_child(parent, label);
  if (existing != kNone && arena_[existing].slot != kNone) return;  // update_live has carried it
  candidates_.push_back({score, mass, words, parent, existing, label, trie, before_[slot].times});
  note_score(score);
  if (candidates_.size() >= 4 * options_.beam_width + 64) shrink_candidates();
}

void BeamSearch::expand_free(std::size_t slot) {
  const Beam& beam = before_[slot];
  const std::int32_t last = arena_[beam.prefix].label;
  const bool boundary = is_boundary(beam.prefix);
  for (const std::int32_t label : allowed_) {
    if (label == space_ && boundary) continue;
    const float from = label == last ? beam.blank : beam.total;
    offer(slot, label, labels_[static_cast<std::size_t>(label)] + from, 0.0F, 0);
  }
}

void BeamSearch::expand_lexicon(std::size_t slot) {
  const Beam beam = before_[slot];
  const Prefix prefix = arena_[beam.prefix];
  const LexiconTrie& trie = scorer_->trie();
  const TrieNode& node = trie.node(prefix.trie);
  const WordContext& context = arena_.context(prefix.context);
  const float alpha = scorer_->alpha();
  const auto base = static_cast<float>(alpha * context.lm + scorer_->beta() * (context.words + 1.0));
  const float reach = beam.total + base + alpha * node.look_ahead;  // no child can have more
  for (std::uint32_t rest = node.bitmap & allowed_mask_; rest != 0; rest &= rest - 1) {
    const int label = __builtin_ctz(rest);
    const float here = labels_[static_cast<std::size_t>(label)];
    if (!(reach + here > bound_)) continue;
    const std::uint32_t child = LexiconTrie::child(node, label);
    const float mass = here + (label == prefix.label ? beam.blank : beam.total);
    offer(slot, label, mass, base + alpha * trie.node(child).look_ahead, child);
  }
  const bool may_end = node.word != 0 && ((allowed_mask_ >> space_) & 1U) != 0;
  if (may_end && beam.total + labels_[static_cast<std::size_t>(space_)] + base > bound_) expand_space(slot);
}

void BeamSearch::expand_space(std::size_t slot) {
  const Beam& beam = before_[slot];
  if (arena_[beam.prefix].ended == kNone) arena_.set_ended(beam.prefix, after_word(beam.prefix));
  const WordContext& context = arena_.context(arena_[beam.prefix].ended);
  const auto words = static_cast<float>(scorer_->alpha() * context.lm +
                                        scorer_->beta() * static_cast<double>(context.words));
  offer(slot, space_, beam.total + labels_[static_cast<std::size_t>(space_)], words, LexiconTrie::root());
}

WordContext BeamSearch::after_word(std::uint32_t prefix) const {
  const Prefix& spelled = arena_[prefix];
  if (spelled.ended != kNone) return arena_.context(spelled.ended);
  const WordContext& context = arena_.context(spelled.context);
  WordContext next;
  next.lm = context.lm +
            scorer_->model().score(context.state, scorer_->trie().node(spelled.trie).word, &next.state);
  next.words = context.words + 1;
  return next;
}

// Of more candidates than can ever be kept, keeps the best; their worst is a new bound.
void BeamSearch::shrink_candidates() {
  const auto better = [](const Candidate& a, const Candidate& b) {
    if (a.score != b.score) return a.score > b.score;
    return a.parent != b.parent ? a.parent < b.parent : a.label < b.label;
  };
  const auto last = candidates_.begin() + static_cast<std::ptrdiff_t>(options_.beam_width) - 1;
  std::nth_element(candidates_.begin(), last, candidates_.end(), better);
  bound_ = std::max(bound_, last->score);
  candidates_.resize(options_.beam_width);
}

void BeamSearch::select() {
  ranked_.clear();
  const float floor = best_ - options_.score_threshold;
  const auto consider = [this, floor](float score, std::size_t index) {
    if (score > kImpossible && score >= floor) ranked_.push_back({score, static_cast<std::uint32_t>(index)});
  };
  const std::size_t live = beams_.size();
  for (std::size_t i = 0; i < live; ++i) consider(beams_[i].total + beams_[i].words, i);
  for (std::size_t i = 0; i < candidates_.size(); ++i) consider(candidates_[i].score, live + i);
  if (ranked_.empty()) {  // the frame makes everything kept impossible: it is passed over
    for (std::size_t i = 0; i < live; ++i) {
      before_[i].times = beams_[i].times;
      beams_[i] = before_[i];
    }
    return;
  }
  if (ranked_.size() > options_.beam_width) {
    const auto better = [](const Ranked& a, const Ranked& b) {
      return a.score != b.score ? a.score > b.score : a.index < b.index;
    };
    std::nth_element(ranked_.begin(), ranked_.begin() + static_cast<std::ptrdiff_t>(options_.beam_width) - 1,
                     ranked_.end(), better);
    ranked_.resize(options_.beam_width);
  }
  for (const Beam& beam : beams_) arena_[beam.prefix].slot = kNone;
  before_.swap(beams_);  // before_ now holds this frame's masses of the prefixes that were live
  beams_.clear();
  for (const Ranked& entry : ranked_) {
    if (entry.index < live) {
      arena_[before_[entry.index].prefix].slot = static_cast<std::uint32_t>(beams_.size());
      beams_.push_back(before_[entry.index]);
    } else {
      admit(candidates_[entry.index - live]);
    }
  }
  for (const Beam& beam : before_) {
    if (arena_[beam.prefix].slot != kNone) continue;
    dropped_.push_back(beam.prefix);
    times_.drop(beam.times);
  }
  for (const std::uint32_t prefix : dropped_) arena_.release(prefix);
  dropped_.clear();
}

void BeamSearch::admit(const Candidate& candidate) {
  std::uint32_t index = candidate.existing;
  if (index == kNone) {
    index = arena_.add_child(candidate.parent, candidate.label);
    Prefix& prefix = arena_[index];
    const Prefix& parent = arena_[candidate.parent];
    prefix.trie = candidate.trie;
    prefix.context = scorer_ != nullptr && candidate.label == space_ ? parent.ended : parent.context;
  }
  arena_[index].slot = static_cast<std::uint32_t>(beams_.size());
  const std::uint32_t times = times_.extend(candidate.times, frame_);
  beams_.push_back({index, candidate.mass, kImpossible, candidate.mass, candidate.words, times});
}

// Takes the best mass out of all, so that masses stay near zero however long the audio is.
void BeamSearch::renormalise() {
  float top = kImpossible;
  for (const Beam& beam : beams_) top = std::max(top, beam.total);
  if (top == kImpossible) return;
  for (Beam& beam : beams_) {
    beam.non_blank -= top;
    beam.blank -= top;
    beam.total -= top;
  }
  offset_ += top;
}

}  // namespace speechmill
