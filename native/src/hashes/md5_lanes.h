// Eight MD5 sums side by side, in the lanes of AVX2's vectors.
#pragma once

#include <cstddef>
#include <cstdint>

namespace speechmill::md5 {

constexpr std::size_t kLanes = 8;

// Whether this processor has the lanes. Without them compress_lanes must not be called.
bool has_lanes();

struct LaneState {
  std::uint32_t words[4][kLanes];
};

// Adds `count` blocks of 64 bytes to every lane, from data[lane] on.
void compress_lanes(LaneState* state, const std::uint8_t* const (&data)[kLanes], std::size_t count);

}  // namespace speechmill::md5
