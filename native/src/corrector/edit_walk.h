// All words of a lexicon trie within a few edits of a word: one walk that carries a row of distances per
// node.
//
// The distance is the smallest number of edits one after the other (insert, remove, replace a letter, swap
// two neighbours), exact up to two. Subtrees where every cell of the row is above the limit are left out.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "scorer/lexicon_trie.h"

namespace speechmill {

class EditWalk {
public:
  // A word of the trie as label numbers, and what its node says of it.
  struct Found {
    std::vector<int> labels;
    std::uint32_t index;
  };

  EditWalk(const LexiconTrie& trie, const std::vector<int>& word) : trie_(trie), word_(word) {}

  // Words at most `limit` (1 or 2) edits away, in the order of their labels.
  std::vector<Found> within(int limit);

private:
  static constexpr std::uint8_t kFar = 100;

  void visit(std::uint32_t at, std::size_t depth);
  bool fill_row(std::size_t depth);
  std::uint8_t swapped(std::size_t depth, std::size_t i) const;
  std::uint8_t cell(std::size_t depth, std::size_t i) const { return rows_[depth * (word_.size() + 1) + i]; }

  const LexiconTrie& trie_;
  const std::vector<int>& word_;
  int limit_ = 1;
  std::vector<std::uint8_t> rows_;  // [depth][letters of the word taken]
  std::vector<int> path_;
  std::vector<Found> found_;
};

}  // namespace speechmill
