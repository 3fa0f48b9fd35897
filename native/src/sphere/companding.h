// The 8-bit telephone codes of ITU-T G.711 and their 16-bit linear values.
//
// mu-law byte b: u = ~b, e = bits 4-6, m = bits 0-3: |x| = ((2m + 33) << (e + 2)) - 132, negative if u has
// bit 7. A-law byte b: u = b ^ 0x55, e, m likewise: |x| = (2m + 1) << 3 for e = 0, else (2m + 33) << (e + 2);
// bit 7 set means positive.
#pragma once

#include <cstdint>

namespace speechmill {

constexpr std::int16_t expand_ulaw(std::uint8_t byte) {
  const int u = ~byte & 0xFF;
  const int magnitude = ((2 * (u & 15) + 33) << (((u >> 4) & 7) + 2)) - 132;
  return static_cast<std::int16_t>((u & 0x80) != 0 ? -magnitude : magnitude);
}

constexpr std::int16_t expand_alaw(std::uint8_t byte) {
  const int u = byte ^ 0x55;
  const int exponent = (u >> 4) & 7;
  const int mantissa = u & 15;
  const int magnitude = exponent == 0 ? (2 * mantissa + 1) << 3 : (2 * mantissa + 33) << (exponent + 2);
  return static_cast<std::int16_t>((u & 0x80) != 0 ? magnitude : -magnitude);
}

}  // namespace speechmill
