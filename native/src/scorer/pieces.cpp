#include "scorer/pieces.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/utf8.h"

namespace speechmill {
namespace {

constexpr std::string_view kUnknownSign = "\xE2\x81\x87";  // U+2047, what some write for <unk>

bool is_special(std::string_view label) {
  if (label.find(kUnknownSign) != std::string_view::npos) return true;
  if (label.size() < 3) return false;
  return (label.front() == '<' && label.back() == '>') || (label.front() == '[' && label.back() == ']');
}

bool begins_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

}  // namespace

Piece read_piece(const std::string& label, PieceMark mark, const std::string& place) {
  Piece piece;
  if (is_special(label)) {
    piece.written = false;
    return piece;
  }
  const bool of_begin = mark == PieceMark::kBegin;
  const std::string_view sign = of_begin ? kBeginMark : kContinueMark;
  const bool marked = begins_with(label, sign) && (of_begin || label.size() > sign.size());
  piece.begins = marked == of_begin;
  piece.letters = marked ? label.substr(sign.size()) : label;
  if (of_begin && piece.letters.find(kBeginMark) != std::string::npos) {
    throw AlphabetError(
        place + " \"" + label +
        "\" begins a word behind its first letter; pieces of several words are not supported");
  }
  if (piece.letters.find_first_of(" \t") != std::string::npos) {
    throw AlphabetError(place + " \"" + label +
                        "\" holds a blank; among pieces of words the space is a mark, not a blank");
  }
  return piece;
}

std::vector<std::string> letters_of(const std::vector<Piece>& pieces) {
  std::vector<std::string> letters;
  for (const Piece& piece : pieces) {
    for (std::size_t at = 0; at < piece.letters.size();) {
      const std::size_t size = character_bytes(piece.letters, at);
      letters.push_back(piece.letters.substr(at, size));
      at += size;
    }
  }
  std::sort(letters.begin(), letters.end());  // the order of UTF-8 is that of the code points
  letters.erase(std::unique(letters.begin(), letters.end()), letters.end());
  return letters;
}

PieceCutter::PieceCutter(const std::vector<Piece>& pieces) {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    if (!piece.written) continue;
    const int label = static_cast<int>(i);
    if (piece.letters.empty()) {
      space_ = label;
      continue;
    }
    (piece.begins ? begin_ : inner_).emplace(piece.letters, label);
    longest_ = std::max(longest_, piece.letters.size());
  }
}

std::size_t PieceCutter::cut(std::string_view text, std::vector<int>* labels) const {
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::size_t reached = cut_word(text.substr(at, end - at), labels);
    at += reached;
    if (at < end) return at;
  }
  return text.size();
}

// From behind: the fewest pieces that spell the word from each place on.
std::size_t PieceCutter::cut_word(std::string_view word, std::vector<int>* labels) const {
  constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max() / 2;
  struct Way {
    std::size_t pieces;
    std::size_t bytes;  // of the first of them
    int label;
  };
  const auto best_from = [&](std::size_t at, const Index& index, const std::vector<Way>& ways,
                             std::size_t cost) {
    Way best{kNever, 0, -1};
    for (std::size_t size = std::min(longest_, word.size() - at); size > 0; --size) {
      const auto entry = index.find(std::string(word.substr(at, size)));
      if (entry == index.end()) continue;
      const std::size_t pieces = ways[at + size].pieces + cost;
      if (pieces < best.pieces) best = {pieces, size, entry->second};
    }
    return best;
  };
  std::vector<Way> ways(word.size() + 1, Way{kNever, 0, -1});
  ways[word.size()].pieces = 0;
  for (std::size_t at = word.size(); at-- > 1;) ways[at] = best_from(at, inner_, ways, 1);
  const Way begun = best_from(0, begin_, ways, 1);
  const Way spaced = space_ >= 0 ? best_from(0, inner_, ways, 2) : Way{kNever, 0, -1};
  const bool with_space = spaced.pieces < begun.pieces;
  const Way& first = with_space ? spaced : begun;
  if (first.pieces < kNever) {
    if (with_space) labels->push_back(space_);
    labels->push_back(first.label);
    for (std::size_t at = first.bytes; at < word.size(); at += ways[at].bytes)
      labels->push_back(ways[at].label);
    return word.size();
  }
  std::vector<bool> reached(word.size() + 1, false);  // from the front, to say where it fails
  reached[0] = true;
  std::size_t furthest = 0;
  for (std::size_t at = 0; at < word.size(); ++at) {
    if (!reached[at]) continue;
    furthest = at;
    for (std::size_t size = 1; size <= std::min(longest_, word.size() - at); ++size) {
      const std::string letters(word.substr(at, size));
      const bool fits = (at > 0 || space_ >= 0) && inner_.count(letters) != 0;
      if (fits || (at == 0 && begin_.count(letters) != 0)) reached[at + size] = true;
    }
  }
  return furthest;
}

}  // namespace speechmill
