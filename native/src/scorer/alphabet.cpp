#include "scorer/alphabet.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "hashes/sha256.h"

namespace speechmill {
namespace {

std::string shortened(std::string_view text) {
  if (text.size() <= 80) return std::string(text);
  std::size_t end = 77;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

void check_label(const std::string& label, std::size_t number) {
  const std::string place = "label " + std::to_string(number);
  if (label.empty()) throw AlphabetError(place + " is empty; the blank is not listed among the labels");
  if (!is_utf8(label)) throw AlphabetError(place + " is not UTF-8; save the alphabet as UTF-8");
  if (label.find_first_of("\r\n") != std::string::npos) throw AlphabetError(place + " holds a line break");
  if (label.find("\xEF\xBB\xBF") != std::string::npos) {
    throw AlphabetError(place +
                        " holds a byte-order mark, which nobody sees; two files were joined, perhaps");
  }
  if (label.rfind("\\#", 0) == 0) {
    throw AlphabetError(place + " begins with \\#, which an alphabet file cannot express");
  }
}

// The comment that stands for the labels in the file of a bytes alphabet.
constexpr std::string_view kBytesLine = "# labels: the bytes of UTF-8 text, 1 to 255";
// And what stands before the labels in the file of an alphabet of pieces.
constexpr std::string_view kBeginLine = "# labels: pieces of words, \xE2\x96\x81 begins a word";
constexpr std::string_view kContinueLine = "# labels: pieces of words, ## continues a word";

std::vector<std::string> byte_labels() {
  std::vector<std::string> labels;
  for (int byte = 1; byte <= 255; ++byte) labels.emplace_back(1, static_cast<char>(byte));
  return labels;
}

}  // namespace

Alphabet::Alphabet(std::vector<std::string> labels, int blank)
    : Alphabet(std::move(labels), blank, LabelKind::kCharacters) {}

Alphabet Alphabet::bytes(int blank) {
  return Alphabet(byte_labels(), blank, LabelKind::kBytes);
}

Alphabet Alphabet::of_pieces(std::vector<std::string> labels, PieceMark mark, int blank) {
  return Alphabet(std::move(labels), blank, LabelKind::kPieces, mark);
}

Alphabet::Alphabet(std::vector<std::string> labels, int blank, LabelKind kind, PieceMark mark)
    : labels_(std::move(labels)), kind_(kind), mark_(mark) {
  const int outputs = static_cast<int>(labels_.size()) + 1;
  if (labels_.empty()) throw AlphabetError("an alphabet needs at least one label");
  if (blank < -1 || blank >= outputs) {
    throw AlphabetError("blank " + std::to_string(blank) + " is outside the " + std::to_string(outputs) +
                        " outputs (0 to " + std::to_string(outputs - 1) + ", or -1 for the last)");
  }
  blank_ = blank < 0 ? outputs - 1 : blank;
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    if (kind_ != LabelKind::kBytes) check_label(labels_[i], i);
    const int output = output_of(static_cast<int>(i));
    if (!index_.emplace(labels_[i], output).second) {
      throw AlphabetError("label \"" + labels_[i] + "\" appears twice; each output needs a label of its own");
    }
    if (labels_[i] == " ") space_ = output;
    ambiguous_ =
        ambiguous_ || (kind_ == LabelKind::kCharacters && character_bytes(labels_[i], 0) < labels_[i].size());
    const auto first = static_cast<unsigned char>(labels_[i][0]);
    longest_[first] = std::max(longest_[first], labels_[i].size());
    if (labels_[i].size() == 1) single_[first] = output;
  }
  begins_word_.assign(size(), kind_ == LabelKind::kCharacters && space_ < 0 ? 1 : 0);
  begins_word_[static_cast<std::size_t>(blank_)] = 0;
  if (kind_ == LabelKind::kPieces) read_pieces();
  hash_ = sha256_hex(canonical());
}

// Reads the marks of all labels.
void Alphabet::read_pieces() {
  space_ = -1;
  ambiguous_ = true;
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    pieces_.push_back(read_piece(labels_[i], mark_, "label " + std::to_string(i)));
    const Piece& piece = pieces_.back();
    const int output = output_of(static_cast<int>(i));
    if (piece.written && piece.letters.empty()) space_ = output;
    begins_word_[static_cast<std::size_t>(output)] = piece.begins && !piece.letters.empty() ? 1 : 0;
  }
  std::vector<std::string> letters = letters_of(pieces_);
  if (letters.empty()) throw AlphabetError("no piece of the alphabet writes a letter");
  letters.insert(letters.begin(), " ");
  spelling_ = std::make_shared<const Alphabet>(std::move(letters));
  cutter_ = PieceCutter(pieces_);
}

Alphabet Alphabet::parse(std::string_view text, const std::string& name, int blank) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  std::vector<std::string> labels;
  std::unordered_map<std::string, std::size_t> seen;
  bool of_bytes = false;
  std::optional<PieceMark> mark;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    of_bytes = of_bytes || line == kBytesLine;
    if (line == kBeginLine) mark = PieceMark::kBegin;
    if (line == kContinueLine) mark = PieceMark::kContinue;
    if (line.empty() || line[0] == '#') continue;
    if (line.substr(0, 2) == "\\#") line.remove_prefix(1);
    const std::string place = name + ", line " + std::to_string(number);
    if (!is_utf8(line)) throw AlphabetError(place + " is not UTF-8; save the alphabet as UTF-8");
    const auto [other, fresh] = seen.emplace(std::string(line), number);
    if (!fresh) {
      throw AlphabetError(place + ": label \"" + std::string(line) + "\" already stands on line " +
                          std::to_string(other->second));
    }
    labels.emplace_back(line);
  }
  if (of_bytes && !labels.empty()) {
    throw AlphabetError(name + " lists labels and says that its labels are bytes; leave one of the two out");
  }
  if (of_bytes) return bytes(blank);
  if (labels.empty()) throw AlphabetError(name + " holds no label");
  if (!mark.has_value()) return Alphabet(std::move(labels), blank);
  try {
    return of_pieces(std::move(labels), *mark, blank);
  } catch (const AlphabetError& error) {
    throw AlphabetError(name + ": " + error.what());
  }
}

Alphabet Alphabet::load(const std::string& path, int blank) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw AlphabetError("alphabet " + path + " cannot be opened: " + std::strerror(errno));
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) throw AlphabetError("alphabet " + path + " cannot be read: " + std::strerror(errno));
  return parse(text.str(), path, blank);
}

void Alphabet::save(const std::string& path) const {
  try {
    write_file_atomically(path, canonical());
  } catch (const std::runtime_error& error) {
    throw AlphabetError(error.what());
  }
}

const std::string& Alphabet::label(int id) const {
  if (id == blank_) return none_;
  if (id < 0 || id >= static_cast<int>(size())) {
    throw AlphabetError("output index " + std::to_string(id) + " is outside the alphabet's " +
                        std::to_string(size()) + " outputs");
  }
  return labels_[static_cast<std::size_t>(label_of(id))];
}

std::size_t Alphabet::encode_prefix(std::string_view text, std::vector<int>* ids) const {
  if (kind_ == LabelKind::kPieces) {
    const std::size_t reached = cutter_.cut(text, ids);
    for (int& id : *ids) id = output_of(id);
    return reached;
  }
  std::size_t at = 0;
  std::string piece;
  while (at < text.size()) {
    const auto first = static_cast<unsigned char>(text[at]);
    if (longest_[first] == 1) {  // the common case: nothing longer begins so
      ids->push_back(single_[first]);
      ++at;
      continue;
    }
    bool found = false;
    for (std::size_t size = std::min(longest_[first], text.size() - at); size > 0 && !found; --size) {
      piece.assign(text.substr(at, size));
      const auto entry = index_.find(piece);
      if (entry == index_.end()) continue;
      ids->push_back(entry->second);
      at += size;
      found = true;
    }
    if (!found) break;
  }
  return at;
}

bool Alphabet::try_encode(std::string_view text, std::vector<int>* ids) const {
  ids->clear();
  return encode_prefix(text, ids) == text.size();
}

std::vector<int> Alphabet::encode(std::string_view text) const {
  std::vector<int> ids;
  const std::size_t at = encode_prefix(text, &ids);
  if (at == text.size()) return ids;
  const std::size_t size = character_bytes(text, at);
  if (size == 0) throw AlphabetError("byte " + std::to_string(at) + " of the text is not UTF-8");
  const std::string character(text.substr(at, size));
  char code[12] = "";
  unsigned point = static_cast<unsigned char>(character[0]);
  if (size > 1) point &= 0x7Fu >> size;
  for (std::size_t i = 1; i < size; ++i)
    point = point << 6 | (static_cast<unsigned char>(character[i]) & 0x3Fu);
  std::snprintf(code, sizeof code, "U+%04X", point);
  const std::string shown = point < 0x20 ? std::string("(") : "\"" + character + "\" (";
  throw AlphabetError("character " + shown + code + ") is not in the alphabet, at byte " +
                      std::to_string(at) + " of \"" + shortened(text) + "\"");
}

std::string Alphabet::decode(const std::vector<int>& ids) const {
  std::string text;
  for (const int id : ids) {
    if (id == blank_)
      throw AlphabetError("output index " + std::to_string(id) + " is the blank, which has no text");
    const std::string& spelled = label(id);
    if (kind_ != LabelKind::kPieces) {
      text += spelled;
      continue;
    }
    const Piece& piece = pieces_[static_cast<std::size_t>(label_of(id))];
    if (!piece.written) continue;
    if ((piece.begins || id == space_) && !text.empty() && text.back() != ' ') text += ' ';
    text += piece.letters;
  }
  if (kind_ == LabelKind::kPieces && !text.empty() && text.back() == ' ') text.pop_back();
  return kind_ == LabelKind::kBytes ? mend_utf8(text) : text;
}

std::string Alphabet::canonical() const {
  if (kind_ == LabelKind::kBytes) return std::string(kBytesLine) + "\n";
  std::string text;
  if (kind_ == LabelKind::kPieces)
    text = std::string(mark_ == PieceMark::kBegin ? kBeginLine : kContinueLine) + "\n";
  for (const std::string& label : labels_) {
    if (label[0] == '#') text += '\\';
    text += label;
    text += '\n';
  }
  return text;
}

}  // namespace speechmill
