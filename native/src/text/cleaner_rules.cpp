// The tables of a text cleaner, made once from its rules; the scan itself is in cleaner.cpp.
#include <cstring>

#include "text/cleaner.h"

namespace speechmill {
namespace {

constexpr char32_t kLowCodes = 0x3100;  // below, characters are looked up by their place

bool ends_sentences(std::size_t byte) {
  return byte == '.' || byte == '?' || byte == '!';
}

}  // namespace

TextCleaner::TextCleaner(const CleanerRules& rules)
    : low_(kLowCodes),
      leading_(rules.leading_apostrophe.begin(), rules.leading_apostrophe.end()),
      trailing_(rules.trailing_apostrophe.begin(), rules.trailing_apostrophe.end()),
      titles_(rules.titles.begin(), rules.titles.end()),
      spoken_(rules.spoken),
      apostrophe_(rules.apostrophe),
      spaced_(rules.spaced) {
  for (const CharacterRule& rule : rules.characters) {
    Mapped entry;
    if (rule.text.size() > sizeof entry.text) continue;  // too long to stand here: the normaliser's
    entry.known = true;
    entry.space = rule.space;
    entry.capital = rule.capital;
    entry.size = static_cast<std::uint8_t>(rule.text.size());
    std::memcpy(entry.text, rule.text.data(), rule.text.size());
    if (rule.code < kLowCodes)
      low_[rule.code] = entry;
    else
      high_[rule.code] = entry;
  }
  classify();
}

void TextCleaner::classify() {
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const Mapped& entry = low_[byte];
    Kind kind = Kind::kOther;
    if (byte >= 0x80)
      kind = Kind::kOther;  // begins a longer character
    else if (byte == '\n')
      kind = Kind::kLine;
    else if (byte >= '0' && byte <= '9')
      kind = Kind::kDigit;
    else if (!entry.known)
      kind = Kind::kOdd;
    else if (ends_sentences(byte))
      kind = Kind::kEnd;
    else if (byte == '(' || byte == ')')
      kind = Kind::kParenthesis;
    else if (entry.size == 1 && entry.text[0] == '\'')
      kind = Kind::kApostrophe;
    else if (entry.size == 1 && entry.text[0] == ' ')
      kind = Kind::kBlank;
    else if (entry.size == 1)
      kind = Kind::kLetter;
    kinds_[byte] = kind;
    letters_[byte] = entry.text[0];
  }
  latin_ = true;
  for (std::size_t small = 'a'; small <= 'z'; ++small) {
    for (const std::size_t byte : {small, small - 32}) {
      latin_ = latin_ && kinds_[byte] == Kind::kLetter && letters_[byte] == static_cast<char>(small);
    }
  }
}

const TextCleaner::Mapped& TextCleaner::mapped(char32_t code) const {
  if (code < kLowCodes) return low_[code];
  const auto entry = high_.find(code);
  return entry == high_.end() ? unknown_ : entry->second;
}

}  // namespace speechmill
