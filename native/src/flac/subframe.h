// One channel of one FLAC frame (RFC 9639, 9.2): parsed into warm-up samples and residuals, then restored to
// samples in place. Parsing reads bits and predicts nothing; restoring predicts and reads no bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "flac/bits.h"

namespace speechmill::flac {

constexpr int kMaxOrder = 32;

// A value that the format reserves or forbids; `reason` is a literal.
struct Forbidden {
  const char* reason;
};

enum class Prediction { none, fixed, linear };

struct Subframe {
  Prediction prediction = Prediction::none;
  int order = 0;
  int bits = 0;    // of the samples before they are shifted by `wasted`
  int wasted = 0;  // low bits that are zero in every sample
  int shift = 0;   // of a linear prediction
  int precision = 0;
  std::array<std::int32_t, kMaxOrder> coefficients{};  // the first is that of the sample just before
  std::size_t block = 0;
  std::vector<std::int32_t> samples;  // the first `order` are samples, the others residuals until restored
  std::vector<std::int64_t> wide;     // used instead where samples have 33 bits
  bool is_wide() const { return bits + wasted > 32; }
  // Whether 32-bit sums hold every prediction of samples within their depth.
  bool is_narrow() const;
};

// Reads a subframe of `block` samples of `bits` bits. Throws Forbidden, EndOfBits, ResidualTooLarge.
void parse_subframe(Bits* bits, std::size_t block, int sample_bits, Subframe* subframe);

// Turns residuals into samples (`samples`, or `wide`), side by side where that is faster. Values may wrap
// where the data are damaged.
void restore(const std::vector<Subframe*>& subframes);

}  // namespace speechmill::flac
