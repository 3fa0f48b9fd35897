#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace speechmill {
namespace {

// What may follow a lead byte: how many bytes, and the bounds of the first of them.
struct Following {
  std::size_t count;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
};

Following after(unsigned char lead) {
  if (lead < 0x80) return {0};
  if (lead < 0xC2) return {4};  // nothing begins so; more bytes than any character has
  if (lead < 0xE0) return {1};
  if (lead == 0xE0) return {2, 0xA0, 0xBF};
  if (lead == 0xED) return {2, 0x80, 0x9F};
  if (lead < 0xF0) return {2};
  if (lead == 0xF0) return {3, 0x90, 0xBF};
  if (lead < 0xF4) return {3};
  if (lead == 0xF4) return {3, 0x80, 0x8F};
  return {4};
}

}  // namespace

std::size_t character_bytes(std::string_view text, std::size_t at, std::size_t* bad) {
  Following next = after(static_cast<unsigned char>(text[at]));
  if (bad != nullptr) *bad = 1;
  if (next.count > 3) return 0;
  for (std::size_t i = 1; i <= next.count; ++i) {
    if (bad != nullptr) *bad = i;
    if (at + i >= text.size()) return 0;
    const auto byte = static_cast<unsigned char>(text[at + i]);
    if (byte < next.low || byte > next.high) return 0;
    next.low = 0x80;
    next.high = 0xBF;
  }
  return next.count + 1;
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    std::uint64_t eight = 0;  // most text is ASCII
    if (text.size() - at >= sizeof eight) std::memcpy(&eight, text.data() + at, sizeof eight);
    if (text.size() - at >= sizeof eight && (eight & 0x8080808080808080U) == 0) {
      at += sizeof eight;
      continue;
    }
    const std::size_t size = character_bytes(text, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

std::string mend_utf8(std::string_view text) {
  std::string mended;
  mended.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::size_t bad = 1;
    const std::size_t size = character_bytes(text, at, &bad);
    mended += size > 0 ? text.substr(at, size) : std::string_view("\xEF\xBF\xBD");
    at += size > 0 ? size : bad;
  }
  return mended;
}

}  // namespace speechmill
