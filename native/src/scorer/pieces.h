// Pieces of words as labels: what each writes, and how a text is cut into them.
//
// Networks with sub-word labels (SentencePiece, BPE, WordPiece) mark in the label itself where words begin:
//   begin      "▁hel" begins a word, "lo" goes on; "▁" alone is the space;
//   continue   "hel" begins a word, "##lo" goes on.
// At the beginning of a text both begin one. A label such as <unk>, [CLS] or one that holds U+2047 stands for
// something that is not spelled: it is never written. A piece that ends one word and begins another, or holds
// a blank, is an error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace speechmill {

enum class PieceMark : std::uint8_t { kBegin, kContinue };

constexpr std::string_view kBeginMark = "\xE2\x96\x81";  // U+2581
constexpr std::string_view kContinueMark = "##";

struct Piece {
  std::string letters;  // without the mark; empty: the space, or never written
  bool begins = false;  // a word
  bool written = true;
};

// Reads a label. Throws AlphabetError, `place` before the reason.
Piece read_piece(const std::string& label, PieceMark mark, const std::string& place);

// The characters that the pieces write, in the order of their code points, without doubles.
std::vector<std::string> letters_of(const std::vector<Piece>& pieces);

// Cuts texts into the fewest pieces (of two such ways the one whose first difference is the longer piece).
class PieceCutter {
public:
  PieceCutter() = default;
  // The label of pieces[i] is i.
  explicit PieceCutter(const std::vector<Piece>& pieces);

  // The labels of a text of words; returns how many bytes of it could be spelled (all: it is spelled).
  std::size_t cut(std::string_view text, std::vector<int>* labels) const;

private:
  using Index = std::unordered_map<std::string, int>;

  std::size_t cut_word(std::string_view word, std::vector<int>* labels) const;

  Index begin_;  // letters -> label
  Index inner_;
  std::size_t longest_ = 0;  // bytes
  int space_ = -1;
};

}  // namespace speechmill
