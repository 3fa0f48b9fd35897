// Shorten's mu-law order, generated: at bit shift b the codes that need fewer than b bits of shift stand
// outermost.
//
// rank(c) is the largest b <= 12 such that a multiple of 2^b lies in c's interval [lo, hi] of 13-bit
// magnitudes, lo = ((16 + m) << e) - 16, hi = ((17 + m) << e) - 17 (4096 for 0x00); 0xFF has 12 and 0x7F has
// -1. Row b: negative codes of rank < b, negative of rank >= b, positive of rank >= b, positive of rank < b;
// negative codes rise from 0x00 to 0x7F, positive ones fall from 0xFF to 0x80.
#include <array>

#include "sphere/shorten.h"

namespace speechmill {
namespace {

constexpr int kRows = 13;
using Rows = std::array<std::array<std::uint8_t, 256>, kRows>;

int rank_of(int code) {
  if (code == 0xFF) return kRows - 1;
  if (code == 0x7F) return -1;
  const int u = ~code & 0xFF;
  const int exponent = (u >> 4) & 7;
  const int mantissa = u & 15;
  const int low = ((16 + mantissa) << exponent) - 16;
  const int high = code == 0 ? 4096 : ((17 + mantissa) << exponent) - 17;
  int rank = kRows - 1;
  while ((high >> rank) << rank < low) --rank;
  return rank;
}

Rows make_rows() {
  Rows rows{};
  for (int b = 0; b < kRows; ++b) {
    std::size_t at = 0;
    const auto take = [&rows, &at, b](int code) {
      rows[static_cast<std::size_t>(b)][at++] = static_cast<std::uint8_t>(code);
    };
    for (int code = 0x00; code <= 0x7F; ++code) {
      if (rank_of(code) < b) take(code);
    }
    for (int code = 0x00; code <= 0x7F; ++code) {
      if (rank_of(code) >= b) take(code);
    }
    for (int code = 0xFF; code >= 0x80; --code) {
      if (rank_of(code) >= b) take(code);
    }
    for (int code = 0xFF; code >= 0x80; --code) {
      if (rank_of(code) < b) take(code);
    }
  }
  return rows;
}

}  // namespace

std::uint8_t shorten_ulaw_byte(int type, int bitshift, int v) {
  static const Rows rows = make_rows();
  const auto& row = rows[static_cast<std::size_t>(bitshift)];
  if (type == 8 && v == -1) return 0x7F;  // negative zero
  const int index = v + (type == 8 && v < -1 ? 129 : 128);
  return row[static_cast<std::size_t>(index)];
}

}  // namespace speechmill
