// How labels that are pieces of words walk through what is made of letters: lexicon and hot words.
//
// A lexicon may have been built for any letters; a piece with a letter that it lacks leads out of it.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "scorer/alphabet.h"
#include "scorer/lexicon_trie.h"

namespace speechmill::search {

class PieceSteps {
public:
  PieceSteps() = default;
  // `pieces` is of kind kPieces; `letters`: whose label numbers a walk consists of.
  PieceSteps(const Alphabet& pieces, const Alphabet& letters);

  bool begins(int label) const { return steps_[static_cast<std::size_t>(label)].begins; }
  bool written(int label) const { return steps_[static_cast<std::size_t>(label)].written; }
  // How many letters a piece writes.
  std::uint32_t count(int label) const { return steps_[static_cast<std::size_t>(label)].count; }
  // The letters of a piece as label numbers of `letters`, kNoLetter where it lacks one.
  const std::int32_t* begin(int label) const {
    return &letters_[steps_[static_cast<std::size_t>(label)].first];
  }
  const std::int32_t* end(int label) const { return begin(label) + count(label); }

  // The node that a piece leads to, or kNoNode.
  std::uint32_t walk(const LexiconTrie& trie, std::uint32_t from, int label) const {
    for (const std::int32_t* letter = begin(label); letter != end(label); ++letter) {
      if (*letter == kNoLetter) return kNoNode;
      from = trie.step(from, *letter);
      if (from == kNoNode) return kNoNode;
    }
    return from;
  }

  // True if every letter but the space is a piece of its own that goes on with a word: then every word of a
  // lexicon over these letters can be spelled to its end, wherever the spelling stands.
  bool complete() const { return complete_; }
  // True if pieces lead from a node to the end of a word; `known` keeps what was found out.
  bool finishes(const LexiconTrie& trie, std::uint32_t node,
                std::unordered_map<std::uint32_t, bool>* known) const;

  static constexpr std::int32_t kNoLetter = -1;

private:
  struct Step {
    std::uint32_t first;
    std::uint32_t count;
    bool begins;
    bool written;
  };
  std::vector<Step> steps_;
  std::vector<std::int32_t> letters_;
  std::vector<bool> alone_;  // by letter: it is a piece of its own that goes on with a word
  bool complete_ = false;
};

// Throws DecodeError where a lexicon and a network with pieces are of different scripts: where fewer than
// a third of the letters of the lexicon's alphabet can be spelled.
void check_spelling(const Alphabet& pieces, const Alphabet& letters);

}  // namespace speechmill::search
