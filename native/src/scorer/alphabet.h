// The ordered labels of a network's output, and the place of CTC's blank among them.
//
// An alphabet has N labels (UTF-8 strings, usually one character each) and one blank: N + 1 outputs.
// `blank` is the blank's index in the network's output; label i has output index i (before the blank) or
// i + 1 (after it). An alphabet file holds the labels only, so the blank's place is said when it is loaded.
//
// The labels of a bytes alphabet are the bytes 1 to 255 of UTF-8 text (label i is byte i + 1), for languages
// with more letters than a network should have outputs. Text goes in and comes out as usual; a word of such
// labels may be no text at all, and decode() then writes U+FFFD where it is none.
//
// The labels of an alphabet of pieces are parts of words that say themselves where words begin (pieces.h).
// Its spelling() is the alphabet of the letters that they write: lexicons and hot words are over letters,
// whatever the pieces, so that every way in which pieces spell a word leads to the word.
//
// Where words end: at the space label; at labels that begin the next word (pieces); and where an alphabet has
// neither, as those of scripts without blanks, every label is a word of its own.
//
// File format: UTF-8, one label per line, `#` starts a comment line, `\#` is the label `#`, a line of one
// blank is the space label, empty lines are skipped. A BOM and CR before LF are dropped; a label that
// appears twice is an error. A bytes alphabet's file holds one comment that says so, and no label; that of an
// alphabet of pieces one that names their mark. Not here: Unicode normalisation (the Python face brings text
// to NFC).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "scorer/pieces.h"

namespace speechmill {

enum class LabelKind : std::uint32_t { kCharacters = 1, kBytes = 2, kPieces = 3 };

class Alphabet {
public:
  // blank: output index 0 … N, or -1 for the last. Throws AlphabetError.
  explicit Alphabet(std::vector<std::string> labels, int blank = -1);

  // The alphabet of the bytes of UTF-8 text: 255 labels.
  static Alphabet bytes(int blank = -1);

  // An alphabet of pieces of words. Throws AlphabetError.
  static Alphabet of_pieces(std::vector<std::string> labels, PieceMark mark, int blank = -1);

  // Reads an alphabet file; throws AlphabetError naming file and line.
  static Alphabet load(const std::string& path, int blank = -1);
  // Parses the text of an alphabet file; `name` stands for it in errors.
  static Alphabet parse(std::string_view text, const std::string& name, int blank = -1);
  // Writes canonical() atomically (temporary name, then rename).
  void save(const std::string& path) const;

  const std::vector<std::string>& labels() const { return labels_; }  // without the blank
  std::size_t size() const { return labels_.size() + 1; }             // with the blank
  LabelKind kind() const { return kind_; }
  int blank() const { return blank_; }
  // Output index of the space label ("▁" alone among pieces), or -1 without one.
  int space() const { return space_; }
  // True if the label of an output index begins a word, whatever stood before it; not so the space's.
  bool begins_word(int id) const { return begins_word_[static_cast<std::size_t>(id)] != 0; }
  // True if words stand beside each other without a blank: there is no space and no mark.
  bool is_unspaced() const { return space_ < 0 && kind_ != LabelKind::kPieces; }
  // True if two sequences of labels may spell the same text.
  bool is_ambiguous() const { return ambiguous_; }

  // Kind kPieces: what each label writes, by label number, and the alphabet of all letters written: the
  // space, then the letters by code point. Of other kinds the spelling is the alphabet itself.
  const std::vector<Piece>& pieces() const { return pieces_; }
  PieceMark piece_mark() const { return mark_; }
  const Alphabet& spelling() const { return spelling_ == nullptr ? *this : *spelling_; }
  // Label of an output index; the blank's is empty. Throws AlphabetError when out of range.
  const std::string& label(int id) const;

  // Output indices of a text, longest label first. Throws AlphabetError naming the first character outside.
  std::vector<int> encode(std::string_view text) const;
  // As encode, but false instead of an error.
  bool try_encode(std::string_view text, std::vector<int>* ids) const;
  // The labels joined; pieces with a blank between words. Throws AlphabetError for the blank and for indices
  // out of range.
  std::string decode(const std::vector<int>& ids) const;

  // The text of the alphabet file that save() writes.
  std::string canonical() const;
  // SHA-256 of canonical(), hex: `sha256sum` of a saved file gives the same. The blank takes no part.
  const std::string& hash() const { return hash_; }

  // Output index of label number i and back (the blank has no label number).
  int output_of(int label) const { return label < blank_ ? label : label + 1; }
  int label_of(int output) const { return output < blank_ ? output : output - 1; }

private:
  Alphabet(std::vector<std::string> labels, int blank, LabelKind kind, PieceMark mark = PieceMark::kBegin);
  void read_pieces();
  // Encodes as far as labels fit; returns the byte offset reached.
  std::size_t encode_prefix(std::string_view text, std::vector<int>* ids) const;

  std::vector<std::string> labels_;
  LabelKind kind_ = LabelKind::kCharacters;
  std::unordered_map<std::string, int> index_;  // label -> output index
  std::array<std::size_t, 256> longest_{};      // bytes of the longest label that begins with this byte
  std::array<int, 256> single_{};               // output index of the label that is this byte
  std::vector<std::uint8_t> begins_word_;       // by output index
  int blank_ = 0;
  int space_ = -1;
  bool ambiguous_ = false;
  PieceMark mark_ = PieceMark::kBegin;
  std::vector<Piece> pieces_;
  PieceCutter cutter_;
  std::shared_ptr<const Alphabet> spelling_;
  std::string hash_;
  std::string none_;  // what label() answers for the blank
};

}  // namespace speechmill
