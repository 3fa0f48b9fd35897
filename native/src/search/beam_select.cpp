// Who stays in the beam after a frame, where newcomers are put, and which labels no longer can change.
#include <algorithm>

#include "search/beam_lanes.h"
#include "search/log_add.h"
#include "search/search.h"

namespace speechmill::search {
void Search::select() {
  if (!(best_ > kImpossible)) {
    pass_over();
    return;
  }
  const std::size_t live = live_.size();
  const float floor = std::max(best_ - threshold_, std::numeric_limits<float>::lowest());
  const bool crowded = cut_.counting() && cut_.in_last() > cut_.room();
  Ranked last{0.0F, 0};  // of the last bin, the last that stays
  if (crowded) {
    marginal_.clear();
    for (std::size_t i = 0; i < live; ++i) {
      if (score_[i] > kImpossible && cut_.bin(score_[i]) == cut_.last()) marginal_.push_back({score_[i], i});
    }
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      const float score = candidates_[i].score;
      if (cut_.bin(score) == cut_.last()) marginal_.push_back({score, live + i});
    }
    const auto pivot = marginal_.begin() + static_cast<std::ptrdiff_t>(cut_.room()) - 1;
    std::nth_element(marginal_.begin(), pivot, marginal_.end());
    last = *pivot;
  }
  const auto stays = [&](float score, std::size_t index) {
    if (!(score >= floor)) return false;
    if (!cut_.counting()) return true;
    const std::size_t bin = cut_.bin(score);
    return bin < cut_.last() || (bin == cut_.last() && (!crowded || !(last < Ranked{score, index})));
  };
  vacant_.clear();
  for (std::size_t i = 0; i < live; ++i) {
    if (!stays(score_[i], i)) vacant_.push_back(static_cast<std::uint32_t>(i));
  }
  newcomers_.clear();
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (stays(candidates_[i].score, live + i)) keep(candidates_[i]);
  }
  for (const NewTimes& entry : new_times_) {
    times_.drop(live_[entry.slot].times);
    live_[entry.slot].times = entry.times;
  }
  new_times_.clear();
  if (!vacant_.empty() || !newcomers_.empty()) place_newcomers();
}

// The frame makes everything kept impossible: it is passed over.
void Search::pass_over() {
  std::swap(now_, before_);
  offset_ -= static_cast<double>(taken_out_);
  top_mass_ = taken_out_;
  for (std::size_t slot = 0; slot < live_.size(); ++slot) score_[slot] = now_.total[slot] + words_[slot];
  for (const NewTimes& entry : new_times_) times_.drop(entry.times);
  new_times_.clear();
}

// Finds or makes the prefix of a candidate that enters the beam.
void Search::keep(const Candidate& candidate) {
  const Live& above = live_[candidate.slot];
  std::uint32_t index = arena_.find_child(above.prefix, candidate.label);
  if (index == kNone) {
    index = arena_.add_child(above.prefix, candidate.label);
    const Prefix& parent = arena_[above.prefix];
    Prefix& prefix = arena_[index];
    prefix.trie = candidate.trie;
    prefix.letters = is_space(candidate.label) ? 0 : parent.letters + 1;
    prefix.context = parent.context;
    if (hot_ != nullptr) {
      const HotStep step = hot_step(parent, candidate.label);
      prefix.hot_state = step.state;
      prefix.hot_earned = parent.hot_earned + step.earned;
    }
    if (kind_ == Kind::kPieces) {
      enter_piece(&prefix, parent, candidate.label);
    } else if (kind_ == Kind::kPronounced && is_space(candidate.label)) {
      prefix.context = arena_.ended(above.prefix, choice_of(candidate.label));
    } else if (scorer_ != nullptr && words_end_ && candidate.label == space_) {
      prefix.context = parent.ended;
    } else if (scorer_ != nullptr && !words_end_ && scorer_->trie().word(candidate.trie) != 0) {
      arena_.set_ended(index, after_word(arena_.context(parent.context), candidate.trie, 1));
      arena_[index].context = arena_[index].ended;
      arena_[index].trie = LexiconTrie::root();
    }
  }
  Newcomer newcomer;
  newcomer.live = make_live(index);
  newcomer.live.times = times_.extend(above.times, frame_);
  const float from =
      candidate.label == above.label ? before_.blank[candidate.slot] : before_.total[candidate.slot];
  newcomer.mass = labels_[static_cast<std::size_t>(candidate.label)] + from;
  newcomer.words = candidate.words;
  newcomers_.push_back(newcomer);
}

Live Search::make_live(std::uint32_t prefix) const {
  const Prefix& entry = arena_[prefix];
  Live live{};
  live.prefix = prefix;
  live.parent = entry.parent;
  live.label = entry.label >= 0 ? entry.label : space_ >= 0 ? space_ : past_;
  live.boundary = is_boundary(prefix);
  live.times = TimeChain::kEmpty;
  if (scorer_ == nullptr) return live;
  live.base = price(arena_.context(entry.context)) + scorer_->beta();
  if (kind_ != Kind::kBitmapWords) return live;
  live.unknown = open_ ? live.base + unknown_hope(entry.letters + 1) : kImpossible;
  if (entry.trie == kOffTrie) return live;
  const TrieNode& node = scorer_->trie().node(entry.trie);
  live.bitmap = node.bitmap;
  live.first_child = node.first_child;
  live.word = node.word;
  return live;
}

void Search::place_newcomers() {
  for (const std::uint32_t slot : vacant_) {
    arena_.set_slot(live_[slot].prefix, kNone);
    times_.drop(live_[slot].times);
    dropped_.push_back(live_[slot].prefix);
  }
  std::size_t filled = 0;
  for (const Newcomer& newcomer : newcomers_) {
    if (filled < vacant_.size()) {
      set_slot(vacant_[filled++], newcomer);
      continue;
    }
    live_.push_back({});
    resize_arrays(live_.size());
    set_slot(live_.size() - 1, newcomer);
  }
  while (vacant_.size() > filled) {  // from behind, so that the last slot is never a vacant one
    const std::size_t slot = vacant_.back();
    vacant_.pop_back();
    if (slot + 1 != live_.size()) move_slot(live_.size() - 1, slot);
    live_.pop_back();
  }
  for (const std::uint32_t prefix : dropped_) arena_.release(prefix);
  dropped_.clear();
}

void Search::set_slot(std::size_t slot, const Newcomer& newcomer) {
  live_[slot] = newcomer.live;
  arena_.set_slot(newcomer.live.prefix, static_cast<std::uint32_t>(slot));
  now_.non_blank[slot] = now_.total[slot] = newcomer.mass;
  now_.blank[slot] = kImpossible;
  words_[slot] = newcomer.words;
  score_[slot] = newcomer.mass + newcomer.words;
  reach_[slot] = newcomer.live.base + piece_slack_;
  if (kind_ == Kind::kBitmapWords) {
    const Prefix& entry = arena_[newcomer.live.prefix];
    reach_[slot] += hope(entry.trie, entry.letters + 1);
  }
  top_mass_ = std::max(top_mass_, newcomer.mass);
}

void Search::move_slot(std::size_t from, std::size_t to) {
  live_[to] = live_[from];
  arena_.set_slot(live_[to].prefix, static_cast<std::uint32_t>(to));
  for (std::vector<float>* values : {&now_.non_blank, &now_.blank, &now_.total, &words_, &score_, &reach_}) {
    (*values)[to] = (*values)[from];
  }
}

// Room for so many slots, rounded up to whole lanes.
void Search::resize_arrays(std::size_t slots) {
  if (slots <= score_.size()) return;
  const std::size_t room = (std::max(slots, 2 * score_.size()) + kLanes - 1) / kLanes * kLanes;
  for (std::vector<float>* values :
       {&now_.non_blank, &now_.blank, &now_.total, &before_.non_blank, &before_.blank, &before_.total,
        &words_, &reach_, &score_, &own_, &arriving_}) {
    values->resize(room, kImpossible);
  }
  taken_.resize(room, 0);
}

// The slot of the best prefix.
std::size_t Search::best_slot() const {
  const auto end = score_.begin() + static_cast<std::ptrdiff_t>(live_.size());
  return static_cast<std::size_t>(std::max_element(score_.begin(), end) - score_.begin());
}

// How many labels `prefix` has below `above`, an ancestor or itself.
std::size_t Search::labels_below(std::uint32_t above, std::uint32_t prefix) const {
  std::size_t count = 0;
  for (; prefix != above; prefix = arena_[prefix].parent) ++count;
  return count;
}

// Where the beam has disagreed for long, it follows the best from there on. False if there was nothing to do.
bool Search::drop_old_doubts() {
  std::uint32_t from = live_[best_slot()].prefix;
  if (labels_below(root_, from) <= options_.doubt_labels) return false;
  decided_confidence_ = rate_decided_words();
  for (std::size_t i = 0; i < options_.doubt_labels / 2; ++i) from = arena_[from].parent;
  vacant_.clear();
  newcomers_.clear();
  for (std::size_t slot = 0; slot < live_.size(); ++slot) {
    std::uint32_t at = live_[slot].prefix;
    while (at != root_ && at != from) at = arena_[at].parent;
    if (at != from) vacant_.push_back(static_cast<std::uint32_t>(slot));
  }
  if (!vacant_.empty()) place_newcomers();
  return true;
}

// Brings the last of these labels to before `frame`, where they are not, and those before them as far as they
// stand in the way.
void end_before(int frame, std::vector<TimedLabel>* labels) {
  for (auto label = labels->rbegin(); label != labels->rend() && label->frame >= frame; ++label) {
    label->frame = --frame;
  }
}

// Labels that all of the beam has in common can no longer change: they leave the search, so that its memory
// is bounded however long the audio. Their frames are those of the best prefix, but before all that stays
// open: another prefix may have taken its next label before the best took these. There is room, for every
// prefix took all these labels before its first open one.
void Search::settle_labels() {
  decided_confidence_.clear();
  if (!drop_old_doubts() && arena_.used() < settle_at_) return;
  std::uint32_t common = root_;
  for (std::uint32_t at = root_;;) {
    if (words_end_ || is_whole(at)) common = at;
    if (arena_.slot(at) != kNone || arena_[arena_[at].first_child].next_sibling != kNone) break;
    at = arena_[at].first_child;
  }
  if (common != root_) {
    const Live& best = live_[best_slot()];
    std::uint32_t times = best.times;
    for (std::uint32_t at = best.prefix; at != common; at = arena_[at].parent) times = times_.before(times);
    std::vector<TimedLabel> agreed = open_path(common, times);
    int first_open = frame_;
    for (Live& live : live_) {
      const std::size_t depth = labels_below(common, live.prefix);
      live.times = times_.keep_last(live.times, depth, &first_open);
      if (depth == 0) live.parent = kNone;
    }
    end_before(first_open, &agreed);
    settled_.insert(settled_.end(), agreed.begin(), agreed.end());
    settle_confidence(decided_confidence_);
    arena_.set_root(common);
    root_ = common;
  }
  settle_at_ = arena_.used() + 8 * options_.beam_width + 1024;
}

}  // namespace speechmill::search
