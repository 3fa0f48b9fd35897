// The predictions of up to eight subframes side by side, in the lanes of AVX2's vectors: one step of a
// prediction waits for the one before it, but not for those of other blocks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace speechmill::flac {

constexpr std::size_t kLanes = 8;
constexpr int kMaxLaneOrder = 12;

// Whether this processor has the lanes. Without them restore_lanes must not be called.
bool has_lanes();

struct LaneRows {
  std::array<std::int32_t*, kLanes>
      rows{};  // of at least `stop` values each; may be the same row more than once
  // factors[i][lane]: of the sample i + 1 before, 0 behind a lane's order.
  std::int32_t factors[kMaxLaneOrder][kLanes] = {};
  std::int32_t shifts[kLanes] = {};
};

// Restores rows[…][start … stop) in place; what lies before `start` (at least `order` values) is restored
// already. stop - start must be a multiple of 8; order is 4, 8 or 12.
void restore_lanes(const LaneRows& lanes, int order, std::size_t start, std::size_t stop);

}  // namespace speechmill::flac
