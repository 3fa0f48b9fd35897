#include "search/piece_steps.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"

namespace speechmill::search {

PieceSteps::PieceSteps(const Alphabet& pieces, const Alphabet& letters) {
  std::vector<int> found;
  for (const Piece& piece : pieces.pieces()) {
    Step step{static_cast<std::uint32_t>(letters_.size()), 0, piece.begins, piece.written};
    for (std::size_t at = 0; at < piece.letters.size();) {
      const std::size_t size = character_bytes(piece.letters, at);
      if (!letters.try_encode(piece.letters.substr(at, size), &found)) found.assign(1, -1);
      for (const int id : found) letters_.push_back(id < 0 ? kNoLetter : letters.label_of(id));
      at += size;
    }
    step.count = static_cast<std::uint32_t>(letters_.size()) - step.first;
    steps_.push_back(step);
  }
  const int space = letters.space() < 0 ? -1 : letters.label_of(letters.space());
  alone_.assign(letters.labels().size(), false);
  for (const Step& step : steps_) {
    if (step.written && !step.begins && step.count == 1 && letters_[step.first] != kNoLetter)
      alone_[static_cast<std::size_t>(letters_[step.first])] = true;
  }
  complete_ = true;
  for (std::size_t letter = 0; letter < alone_.size(); ++letter)
    complete_ = complete_ && (alone_[letter] || static_cast<int>(letter) == space);
  letters_.push_back(kNoLetter);  // so that begin() of a last piece without letters exists
}

bool PieceSteps::finishes(const LexiconTrie& trie, std::uint32_t node,
                          std::unordered_map<std::uint32_t, bool>* known) const {
  if (trie.word(node) != 0) return true;
  const auto found = known->find(node);
  if (found != known->end()) return found->second;
  bool ends = false;
  trie.each_child(node, [&](int letter, std::uint32_t child) {
    ends = ends || (alone_[static_cast<std::size_t>(letter)] && finishes(trie, child, known));
  });
  for (std::size_t label = 0; label < steps_.size() && !ends; ++label) {
    const Step& step = steps_[label];
    if (!step.written || step.begins || step.count < 2) continue;
    const std::uint32_t next = walk(trie, node, static_cast<int>(label));
    ends = next != kNoNode && finishes(trie, next, known);
  }
  known->emplace(node, ends);
  return ends;
}

void check_spelling(const Alphabet& pieces, const Alphabet& letters) {
  const std::vector<std::string>& written = pieces.spelling().labels();
  std::size_t lacking = 0;
  std::string named;
  for (const std::string& letter : letters.labels()) {
    if (letter == " " || std::find(written.begin(), written.end(), letter) != written.end()) continue;
    if (lacking++ < 5) named += (named.empty() ? "" : " ") + letter;
  }
  const std::size_t all = letters.labels().size() - (letters.space() >= 0 ? 1 : 0);
  if (3 * (all - lacking) >= all) return;
  throw DecodeError("the pieces of the network spell " + std::to_string(all - lacking) + " of the " +
                    std::to_string(all) + " letters of the language model (not, for example, " + named +
                    "); build the language model of text in the network's language and case");
}

}  // namespace speechmill::search
