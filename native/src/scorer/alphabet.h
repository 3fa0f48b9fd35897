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
// File format: UTF-8, one label per line, `#` starts a comment line, `\#` is the label `#`, a line of one
// blank is the space label, empty lines are skipped. A BOM and CR before LF are dropped; a label that
// appears twice is an error. A bytes alphabet's file holds one comment that says so, and no label. Not here:
// Unicode normalisation (the Python face brings text to NFC).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace speechmill {

enum class LabelKind : std::uint32_t { kCharacters = 1, kBytes = 2 };

class Alphabet {
public:
  // blank: output index 0 … N, or -1 for the last. Throws AlphabetError.
  explicit Alphabet(std::vector<std::string> labels, int blank = -1);

  // The alphabet of the bytes of UTF-8 text: 255 labels.
  static Alphabet bytes(int blank = -1);

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
  // Output index of the space label, or -1 when words are not separated by spaces.
  int space() const { return space_; }
  // Label of an output index; the blank's is empty. Throws AlphabetError when out of range.
  const std::string& label(int id) const;

  // Output indices of a text, longest label first. Throws AlphabetError naming the first character outside.
  std::vector<int> encode(std::string_view text) const;
  // As encode, but false instead of an error.
  bool try_encode(std::string_view text, std::vector<int>* ids) const;
  // The labels joined. Throws AlphabetError for the blank and for indices out of range.
  std::string decode(const std::vector<int>& ids) const;

  // The text of the alphabet file that save() writes.
  std::string canonical() const;
  // SHA-256 of canonical(), hex: `sha256sum` of a saved file gives the same. The blank takes no part.
  const std::string& hash() const { return hash_; }

  // Output index of label number i and back (the blank has no label number).
  int output_of(int label) const { return label < blank_ ? label : label + 1; }
  int label_of(int output) const { return output < blank_ ? output : output - 1; }

private:
  Alphabet(std::vector<std::string> labels, int blank, LabelKind kind);
  // Encodes as far as labels fit; returns the byte offset reached.
  std::size_t encode_prefix(std::string_view text, std::vector<int>* ids) const;

  std::vector<std::string> labels_;
  LabelKind kind_ = LabelKind::kCharacters;
  std::unordered_map<std::string, int> index_;  // label -> output index
  std::array<std::size_t, 256> longest_{};      // bytes of the longest label that begins with this byte
  std::array<int, 256> single_{};               // output index of the label that is this byte
  int blank_ = 0;
  int space_ = -1;
  std::string hash_;
  std::string none_;  // what label() answers for the blank
};

}  // namespace speechmill
