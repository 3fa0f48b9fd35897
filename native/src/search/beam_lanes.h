// The arithmetic of a frame for all live prefixes, several at a time.
//
// Arrays have room for a whole number of kLanes; what stands behind `count` is ln 0. The same operations run
// in the same order on every machine (no fused multiply-add), so the answer does not depend on the width of
// the machine's registers.
#pragma once

#include <cstddef>

namespace speechmill::search {

constexpr std::size_t kLanes = 8;

struct LaneArrays {
  std::size_t count;      // live prefixes
  float blank;            // ln P of the blank in this frame
  const float* own;       // ln P of staying at the label
  const float* arriving;  // ln P of coming from the parent
  const float* total_before;
  const float* words;
  float* non_blank;
  float* blank_mass;
  float* total;
  float* score;
};

struct LaneResult {
  float best;      // highest score
  float worst;     // lowest score
  float top_mass;  // highest total
};

// non_blank = own (+) arriving, blank_mass = blank + total_before, total = non_blank (+) blank_mass,
// score = total + words; (+) adds probabilities held as logarithms, to within 3e-7.
LaneResult advance(const LaneArrays& arrays);

// The largest of a[i] + b[i].
float top_sum(const float* a, const float* b, std::size_t count);

}  // namespace speechmill::search
