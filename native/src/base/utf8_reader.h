// UTF-8 one character at a time, strict: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>

namespace speechmill {

constexpr char32_t kNotUtf8 = 0xFFFFFFFF;

// The character at `text`, of which `left` ≥ 1 bytes remain; `size` receives its bytes (1 where kNotUtf8).
inline char32_t read_utf8(const char* text, std::size_t left, std::size_t* size) {
  const auto byte = [text](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  const char32_t lead = byte(0);
  *size = 1;
  if (lead < 0x80) return lead;
  const std::size_t need = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (need == 0 || need > left) return kNotUtf8;
  char32_t code = lead & (0x7FU >> need);
  for (std::size_t i = 1; i < need; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return kNotUtf8;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  const bool overlong = (need == 3 && code < 0x800) || (need == 4 && code < 0x10000);
  if (overlong || (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF) return kNotUtf8;
  *size = need;
  return code;
}

}  // namespace speechmill
