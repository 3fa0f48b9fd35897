// Prefixes of pieces: a label may end the word before it and begin the next, and writes any number of
// letters.
#include <algorithm>
#include <unordered_map>

#include "search/log_add.h"
#include "search/search.h"

namespace speechmill::search {

// True if the label ends the word that the prefix is spelling.
bool Search::ends_word(const Prefix& prefix, std::int32_t label) const {
  return prefix.letters != 0 && (label == space_ || pieces_.begins(label));
}

// Label by label, most probable first.
void Search::expand_pieces(std::size_t slot) {
  const Live live = live_[slot];
  const float total = before_.total[slot];
  float ceiling =
      scorer_ == nullptr ? 0.0F : live.base + piece_slack_;  // words of a child are never above it
  if (hot_ != nullptr) ceiling += arena_[live.prefix].hot_earned + 2.0F * hot_->most();
  for (const std::int32_t label : sorted_) {
    const float here = labels_[static_cast<std::size_t>(label)];
    if (!(here + total + ceiling > cut_.bound())) break;
    if (!pieces_.written(label) || (label == space_ && live.boundary) || is_taken(slot, label)) continue;
    offer_piece(slot, label, here + (label == live.label ? before_.blank[slot] : total));
  }
}

void Search::offer_piece(std::size_t slot, std::int32_t label, float mass) {
  const std::uint32_t above = live_[slot].prefix;
  float words = hot_ == nullptr ? 0.0F : hot_part(arena_[above], label);
  std::uint32_t trie = LexiconTrie::root();
  if (scorer_ != nullptr) {
    float base = live_[slot].base;
    const bool ends = ends_word(arena_[above], label);
    if (ends) {
      if (!may_end(arena_[above].trie)) return;
      if (arena_[above].ended == kNone) arena_.set_ended(above, after_word(above));
      base = price(arena_.context(arena_[above].ended)) + scorer_->beta();
    }
    if (label == space_) {
      words += base - scorer_->beta();
    } else {
      const std::uint32_t from = ends ? LexiconTrie::root() : arena_[above].trie;
      if (!(mass + words + base + piece_look_ > cut_.bound())) return;
      trie = from == kOffTrie ? kNoNode : pieces_.walk(scorer_->trie(), from, label);
      if (trie == kNoNode) {
        if (!open_) return;
        trie = kOffTrie;
      } else if (!open_ && !pieces_.complete() && !pieces_.finishes(scorer_->trie(), trie, &finishing_)) {
        return;  // into words that no piece spells to their end, where the beam could be lost
      }
      words += base + hope(trie, (ends ? 0 : arena_[above].letters) + pieces_.count(label));
    }
  }
  const float score = mass + words;
  if (score > cut_.bound()) offer({score, words, static_cast<std::uint32_t>(slot), label, trie});
}

// What a new prefix knows beside its lexicon node.
void Search::enter_piece(Prefix* prefix, const Prefix& parent, std::int32_t label) const {
  const bool ends = ends_word(parent, label);
  prefix->letters = label == space_ ? 0 : (ends ? 0 : parent.letters) + pieces_.count(label);
  prefix->context = ends && scorer_ != nullptr ? parent.ended : parent.context;
}

// Hot words are followed letter by letter, with a space before every word but the text's first.
Search::HotStep Search::hot_step(const Prefix& parent, std::int32_t label) const {
  HotStep step{parent.hot_state, 0.0F};
  const auto follow = [&](std::int32_t letter) {
    step.state = hot_->next(step.state, letter);
    step.earned += hot_->earned(step.state);
  };
  if (kind_ != Kind::kPieces) {
    follow(label);
    return step;
  }
  if (ends_word(parent, label)) follow(hot_space_);
  for (const std::int32_t* letter = hot_letters_.begin(label); letter != hot_letters_.end(label); ++letter) {
    follow(*letter);
  }
  return step;
}

// Texts that are spelled in several ways are one text: its probability is the sum, its times are those of the
// most probable way.
void Search::merge_spellings(std::vector<Ending>* all) const {
  std::unordered_map<std::string, std::size_t> places;
  Hypothesis spelled;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < all->size(); ++i) {
    Ending ending = (*all)[i];
    spell_answer(open_words(ending), &spelled);
    const auto [place, fresh] = places.emplace(spelled.text, kept);
    if (fresh) {
      (*all)[kept++] = ending;
      continue;
    }
    Ending& same = (*all)[place->second];
    same.mass = log_add(same.mass, ending.mass);
    if (!(ending.heaviest > same.heaviest)) continue;
    same.heaviest = ending.heaviest;
    same.prefix = ending.prefix;
    same.times = ending.times;
    same.choice = ending.choice;
  }
  all->resize(kept);
}

}  // namespace speechmill::search
