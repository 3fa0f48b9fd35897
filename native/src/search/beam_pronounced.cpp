// Prefixes over a lexicon of pronunciations: several words may end with one sequence of labels, and each of
// them is a prefix of its own from its space on, with its own context of the language model.
#include "base/error.h"
#include "search/search.h"

namespace speechmill::search {

void Search::check_pronounced() const {
  const std::string lexicon = "the language model's lexicon is of pronunciations: ";
  if (alphabet_.kind() == LabelKind::kPieces)
    throw DecodeError(lexicon +
                      "its labels are spelled one by one, a network with pieces of words cannot use it");
  if (options_.open_vocabulary)
    throw DecodeError(lexicon +
                      "a word that it lacks has no letters to be written with; decode without "
                      "open_vocabulary, or add the word's pronunciation");
  if (hot_ != nullptr) throw DecodeError(kHotWordsAndSounds);
}

// Label by label, most probable first.
void Search::expand_pronounced(std::size_t slot) {
  const Live live = live_[slot];
  const LexiconTrie& trie = scorer_->trie();
  const std::uint32_t from = arena_[live.prefix].trie;
  const float total = before_.total[slot];
  for (const std::int32_t label : sorted_) {
    const float here = labels_[static_cast<std::size_t>(label)];
    if (!(here + total + live.base > cut_.bound())) break;  // words of a child are never above its base
    if (label == space_) {
      if (!live.boundary && trie.word(from) != 0) offer_words(slot);
      continue;
    }
    if (is_taken(slot, label)) continue;
    const std::uint32_t child = trie.step(from, label);
    if (child == kNoNode) continue;
    const float words = live.base + hope(child, 0);
    const float score = here + (label == live.label ? before_.blank[slot] : total) + words;
    if (score > cut_.bound()) offer({score, words, static_cast<std::uint32_t>(slot), label, child});
  }
}

// A word ends: each that sounds like it is a candidate.
void Search::offer_words(std::size_t slot) {
  const std::uint32_t prefix = live_[slot].prefix;
  end_words(prefix);
  const float mass = labels_[static_cast<std::size_t>(space_)] + before_.total[slot];
  const std::uint32_t words = alike(arena_[prefix].trie);
  for (std::uint32_t choice = 0; choice < words; ++choice) {
    const std::int32_t label = choice == 0 ? space_ : past_ + static_cast<std::int32_t>(choice);
    if (is_taken(slot, label)) continue;
    const float price_after = price(arena_.context(arena_.ended(prefix, choice)));
    const float score = mass + price_after;
    if (score > cut_.bound()) {
      offer({score, price_after, static_cast<std::uint32_t>(slot), label, LexiconTrie::root()});
    }
  }
}

// Asks the language model for all words that a prefix ends, once.
void Search::end_words(std::uint32_t prefix) {
  if (arena_[prefix].ended != kNone) return;
  const std::uint32_t first = scorer_->trie().word(arena_[prefix].trie) - 1;
  const std::uint32_t words = alike(arena_[prefix].trie);
  ending_.clear();
  for (std::uint32_t choice = 0; choice < words; ++choice)
    ending_.push_back(after_spoken(arena_.context(arena_[prefix].context), first + choice));
  arena_.set_ended(prefix, ending_);
}

WordContext Search::after_spoken(const WordContext& context, std::uint32_t place) const {
  WordContext next;
  next.lm =
      context.lm + scorer_->model().score(context.state, scorer_->trie().spoken(place).word, &next.state);
  next.words = context.words + 1;
  return next;
}

// How many words end at a node where one does; where words are spelled in letters it is one.
std::uint32_t Search::alike(std::uint32_t trie) const {
  if (kind_ != Kind::kPronounced) return 1;
  const std::uint32_t first = scorer_->trie().word(trie) - 1;
  std::uint32_t last = first;
  while (scorer_->trie().spoken(last).more != 0) ++last;
  return last - first + 1;
}

// What stands in an answer for a prefix' last label.
TimedLabel Search::timed(std::uint32_t prefix, std::uint32_t times) const {
  const Prefix& entry = arena_[prefix];
  if (kind_ != Kind::kPronounced || !is_space(entry.label))
    return {alphabet_.output_of(entry.label), times_.frame(times)};
  const std::uint32_t place = scorer_->trie().word(arena_[entry.parent].trie) - 1 + choice_of(entry.label);
  return {static_cast<int>(alphabet_.size() + place), times_.frame(times)};
}

// Behind the last word of a text: which of the words it is that sound alike, said as a space would.
void Search::end_last_word(const Ending& ending, std::vector<TimedLabel>* path) const {
  if (kind_ != Kind::kPronounced || ending.choice == kNone || is_between(ending.prefix)) return;
  const std::uint32_t place = scorer_->trie().word(arena_[ending.prefix].trie) - 1 + ending.choice;
  path->push_back({static_cast<int>(alphabet_.size() + place), frame_});
}

void Search::spell_answer(const std::vector<TimedLabel>& path, Hypothesis* hypothesis) const {
  if (kind_ == Kind::kPronounced)
    spell_words(path, hypothesis);
  else
    spell(alphabet_, path, hypothesis);
}

// As spell(), but words are written as the spaces behind them say; labels behind the last space are written
// as they are.
void Search::spell_words(const std::vector<TimedLabel>& path, Hypothesis* hypothesis) const {
  hypothesis->text.clear();
  hypothesis->timesteps.clear();
  hypothesis->words.clear();
  bool inside = false;
  int gap = 0;  // frame of the last space
  for (const TimedLabel& label : path) {
    if (is_gap(label.label)) {
      const int place = label.label - static_cast<int>(alphabet_.size());
      if (inside && place >= 0)
        hypothesis->words.back().word = scorer_->trie().text(static_cast<std::uint32_t>(place));
      inside = false;
      gap = label.frame;
      continue;
    }
    if (!inside) {
      if (!hypothesis->words.empty()) hypothesis->timesteps.push_back(gap);
      hypothesis->words.push_back({"", label.frame, label.frame + 1});
      inside = true;
    }
    hypothesis->timesteps.push_back(label.frame);
    hypothesis->words.back().word += alphabet_.label(label.label);
    hypothesis->words.back().end_frame = label.frame + 1;
  }
  for (const WordTime& word : hypothesis->words) {
    if (!hypothesis->text.empty()) hypothesis->text += ' ';
    hypothesis->text += word.word;
  }
}

}  // namespace speechmill::search
