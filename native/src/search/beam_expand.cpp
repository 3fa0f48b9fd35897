// Which prefixes may enter the beam in a frame: one label longer than a live one, and above the cut.
#include <algorithm>

#include "search/beam_lanes.h"
#include "search/log_add.h"
#include "search/search.h"

namespace speechmill::search {

void Search::expand() {
  const std::size_t count = live_.size();
  switch (kind_) {
    case Kind::kFree:
      for (std::size_t slot = 0; slot < count; ++slot) expand_free(slot);
      return;
    case Kind::kBitmapWords:
      for (std::size_t slot = 0; slot < count; ++slot) expand_words(slot);
      return;
    case Kind::kGeneral:
      for (std::size_t slot = 0; slot < count; ++slot) expand_general(slot);
      return;
    case Kind::kPieces:
      for (std::size_t slot = 0; slot < count; ++slot) expand_pieces(slot);
      return;
    case Kind::kPronounced:
      for (std::size_t slot = 0; slot < count; ++slot) expand_pronounced(slot);
      return;
  }
}

// Takes a candidate whose score is above the bound, and raises the bound when enough better ones are known.
void Search::offer(const Candidate& candidate) {
  if (candidate.score > best_) {
    best_ = candidate.score;
    cut_.raise(best_ - threshold_);
  }
  if (cut_.counting()) {
    if (cut_.add(candidate.score)) candidates_.push_back(candidate);
    return;
  }
  candidates_.push_back(candidate);
  if (live_.size() + candidates_.size() <= options_.beam_width) return;
  const float hope = top_sum(before_.total.data(), reach_.data(), live_.size()) + top_label_;
  cut_.count_from(std::max(best_, hope));
  for (std::size_t slot = 0; slot < live_.size(); ++slot) {
    if (score_[slot] > kImpossible) cut_.add(score_[slot]);
  }
  for (const Candidate& known : candidates_) cut_.add(known.score);
}

void Search::expand_free(std::size_t slot) {
  const float total = before_.total[slot];
  std::uint64_t rest = labels_above(cut_.bound() - total) & ~taken_[slot];
  if (rest == 0) return;
  const Live& live = live_[slot];
  if (live.boundary && space_ >= 0) rest &= ~(std::uint64_t{1} << space_);
  for (; rest != 0; rest &= rest - 1) {
    const std::int32_t label = __builtin_ctzll(rest);
    const float from = label == live.label ? before_.blank[slot] : total;
    const float score = labels_[static_cast<std::size_t>(label)] + from;
    if (score > cut_.bound()) offer({score, 0.0F, static_cast<std::uint32_t>(slot), label, 0});
  }
}

void Search::expand_words(std::size_t slot) {
  const float total = before_.total[slot];
  const float lacking = cut_.bound() - total;  // what label and words must be above
  const Live& live = live_[slot];
  if (!(top_label_ > lacking - std::max(live.base, live.unknown))) return;
  auto rest = static_cast<std::uint32_t>(labels_above(lacking - reach_[slot]) & ~taken_[slot]);
  rest &= live.bitmap;
  const float alpha = scorer_->alpha();
  for (; rest != 0; rest &= rest - 1) {
    const std::int32_t label = __builtin_ctz(rest);
    const std::uint32_t child =
        live.first_child + bit_count(live.bitmap & ((std::uint32_t{1} << label) - 1U));
    const float words = std::max(live.base + alpha * scorer_->trie().look_ahead(child), live.unknown);
    const float from = label == live.label ? before_.blank[slot] : total;
    const float score = labels_[static_cast<std::size_t>(label)] + from + words;
    if (score > cut_.bound()) offer({score, words, static_cast<std::uint32_t>(slot), label, child});
  }
  if (open_) expand_unknown(slot);
  if (live.word != 0 && labels_[static_cast<std::size_t>(space_)] > lacking - live.base) expand_space(slot);
}

// Labels that lead out of the lexicon, and the end of a word that it lacks.
void Search::expand_unknown(std::size_t slot) {
  const Live& live = live_[slot];
  const float total = before_.total[slot];
  const std::uint64_t space = std::uint64_t{1} << space_;
  std::uint64_t rest = labels_above(cut_.bound() - total - live.unknown);
  rest &= ~(taken_[slot] | live.bitmap | space);
  for (; rest != 0; rest &= rest - 1) {
    const std::int32_t label = __builtin_ctzll(rest);
    const float from = label == live.label ? before_.blank[slot] : total;
    const float score = labels_[static_cast<std::size_t>(label)] + from + live.unknown;
    if (score > cut_.bound()) offer({score, live.unknown, static_cast<std::uint32_t>(slot), label, kOffTrie});
  }
  if (live.word != 0 || live.boundary) return;
  // the language model gives <unk> at most ln P = 0
  const Prefix& spelled = arena_[live.prefix];
  const float lacking = cut_.bound() - total - live.base - unknown_price(spelled.letters);
  const float here = labels_[static_cast<std::size_t>(space_)];
  if (!(here > lacking)) return;
  if (here + scorer_->alpha() * unknown_lm(spelled.context) > lacking - kRounding) expand_space(slot);
}

// ln P of an unknown word behind a context; the same for all of them, so it is asked for once.
float Search::unknown_lm(std::uint32_t context) {
  WordContext& before = arena_.context(context);
  if (before.unknown_lm == kNotAsked) {
    LmState next;
    before.unknown_lm = scorer_->model().score(before.state, 0, &next);
  }
  return before.unknown_lm;
}

// A word ends: only now the language model is asked, and only once per prefix.
void Search::expand_space(std::size_t slot) {
  if (is_taken(slot, space_) || !((labels_above(kImpossible) >> space_) & 1U)) return;
  const std::uint32_t prefix = live_[slot].prefix;
  if (arena_[prefix].ended == kNone) arena_.set_ended(prefix, after_word(prefix));
  const float words = price(arena_.context(arena_[prefix].ended));
  const float score = labels_[static_cast<std::size_t>(space_)] + before_.total[slot] + words;
  if (score > cut_.bound()) {
    offer({score, words, static_cast<std::uint32_t>(slot), space_, LexiconTrie::root()});
  }
}

// Any kind of lexicon or none, with hot words or without: label by label, most probable first.
void Search::expand_general(std::size_t slot) {
  const Live live = live_[slot];
  const float total = before_.total[slot];
  float ceiling = scorer_ == nullptr ? 0.0F : live.base;  // words of a child are never above it
  if (options_.open_vocabulary) ceiling += std::max(0.0F, options_.oov_penalty);
  if (hot_ != nullptr) ceiling += arena_[live.prefix].hot_earned + hot_->most();
  for (const std::int32_t label : sorted_) {
    const float here = labels_[static_cast<std::size_t>(label)];
    if (!(here + total + ceiling > cut_.bound())) break;
    if ((label == space_ && live.boundary) || is_taken(slot, label)) continue;
    offer_general(slot, label, here + (label == live.label ? before_.blank[slot] : total));
  }
}

void Search::offer_general(std::size_t slot, std::int32_t label, float mass) {
  const std::uint32_t above = live_[slot].prefix;
  float words = hot_ == nullptr ? 0.0F : hot_part(arena_[above], label);
  std::uint32_t trie = LexiconTrie::root();
  if (scorer_ != nullptr && label == space_ && words_end_) {
    if (!may_end(arena_[above].trie)) return;
    if (arena_[above].ended == kNone) arena_.set_ended(above, after_word(above));
    words += price(arena_.context(arena_[above].ended));
  } else if (scorer_ != nullptr) {
    const std::uint32_t from = arena_[above].trie;
    trie = from == kOffTrie ? kNoNode : scorer_->trie().step(from, label);
    if (trie == kNoNode) {
      if (!options_.open_vocabulary || !words_end_) return;
      trie = kOffTrie;
    }
    const bool ends = !words_end_ && scorer_->trie().word(trie) != 0;
    if (ends) {
      words += price(after_word(arena_.context(arena_[above].context), trie, 1));
    } else {
      words += live_[slot].base + hope(trie, arena_[above].letters + 1);
    }
  }
  const float score = mass + words;
  if (score > cut_.bound()) offer({score, words, static_cast<std::uint32_t>(slot), label, trie});
}

bool Search::is_taken(std::size_t slot, std::int32_t label) const {
  if (((taken_[slot] >> (static_cast<unsigned>(label) & 63U)) & 1U) == 0) return false;
  if (labels_.size() <= kMaskLabels) return true;
  const std::uint32_t child = arena_.find_child(live_[slot].prefix, label);
  return child != kNone && arena_.slot(child) != kNone;
}

float Search::hot_part(const Prefix& parent, std::int32_t label) const {
  const HotStep step = hot_step(parent, label);
  return parent.hot_earned + step.earned + hot_->promised(step.state);
}

// What the best word that a prefix in this lexicon node can still become is expected to add.
float Search::hope(std::uint32_t trie, std::uint32_t letters) const {
  if (trie == kOffTrie) return unknown_hope(letters);
  const float known = scorer_->alpha() * scorer_->trie().look_ahead(trie);
  return open_ ? std::max(known, unknown_hope(letters)) : known;
}

// What a word outside the lexicon adds that has so many letters at least.
float Search::unknown_hope(std::uint32_t letters) const {
  return oov_look_ + letter_price_ * static_cast<float>(letters);
}

// What such a word of so many letters costs beside its probability.
float Search::unknown_price(std::uint32_t letters) const {
  return options_.oov_penalty + letter_price_ * static_cast<float>(letters);
}

bool Search::may_end(std::uint32_t trie) const {
  return options_.open_vocabulary || scorer_->trie().word(trie) != 0;
}

WordContext Search::after_word(const WordContext& context, std::uint32_t trie, std::uint32_t letters) const {
  WordContext next;
  const std::uint32_t word = trie == kOffTrie ? 0 : scorer_->trie().word(trie);
  next.lm = context.lm + scorer_->model().score(context.state, word, &next.state);
  next.words = context.words + 1;
  next.unknown = context.unknown + (word == 0 ? 1 : 0);
  next.unknown_letters = context.unknown_letters + (word == 0 ? letters : 0);
  return next;
}

WordContext Search::after_word(std::uint32_t prefix) const {
  const Prefix& spelled = arena_[prefix];
  if (spelled.ended != kNone) return arena_.context(spelled.ended);
  return after_word(arena_.context(spelled.context), spelled.trie, spelled.letters);
}

// Words part of a score: alpha * lm + beta * words + the penalties of unknown words.
float Search::price(const WordContext& context) const {
  return static_cast<float>(scorer_->alpha() * context.lm +
                            scorer_->beta() * static_cast<double>(context.words) + penalty(context));
}

double Search::penalty(const WordContext& context) const {
  return options_.oov_penalty * static_cast<double>(context.unknown) +
         letter_price_ * static_cast<double>(context.unknown_letters);
}

}  // namespace speechmill::search
