// Residuals of a block: made by a predictor, cut into partitions, written as Rice codes. Vector code where
// the processor has AVX2, else portable code; whole numbers only, so both give the same bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "flac/bit_writer.h"
#include "flac/predictor.h"

namespace speechmill::flac {

// Samples that must be readable before and behind a block (of any value), residuals that are written behind
// it.
inline constexpr std::size_t kBlockMargin = 16;
inline constexpr int kMaxPartitionOrder = 4;
inline constexpr unsigned kPlainParameters = 14;  // the largest Rice parameter of 4 bits, 15 being the escape

// Whether this processor has the vector code (`wide` below).
bool has_wide_lanes();

// folded[i] = the residual of sample i as 0, -1, 1, -2 ... -> 0, 1, 2, 3 ...; 0 for the predictor's first
// samples.
void fold_residual(const Predictor& predictor, const std::int16_t* samples, std::size_t count,
                   std::uint32_t* folded, bool wide);

// How a block's residuals are cut and coded.
struct RicePlan {
  int partition_order = 0;      // 2^order partitions
  unsigned parameter_bits = 4;  // of one parameter: 4, or 5 where one is above kPlainParameters
  std::uint64_t bits = 0;       // expected, all told; what is written has at most half a bit per sample more
  bool possible = false;        // false: a residual is too large for any predictor that is worth its name
  std::array<std::uint8_t, 1 << kMaxPartitionOrder> parameters{};
};

// The cheapest plan by the sums of the folded residuals. `count` > `order`.
RicePlan plan_rice(const std::uint32_t* folded, std::size_t count, int order);

// Writes the residual section of a subframe.
struct Residual {
  const std::uint32_t* folded;
  std::size_t count;  // of the whole block
  int order;
};
void write_residual(const RicePlan& plan, const Residual& residual, bool wide, BitWriter* writer);

}  // namespace speechmill::flac
