// How the residuals of a block are cut into partitions, and each partition's Rice parameter.
#include <algorithm>

#include "flac/residual.h"

namespace speechmill::flac {
namespace {

// 2^21: residuals of 16-bit samples stay far below. The sums of 64 of them fit into 32 bits.
constexpr std::uint32_t kTooLarge = std::uint32_t{1} << 21;
constexpr std::size_t kShortestPartition = 32;
constexpr std::size_t kMostPartitions = std::size_t{1} << kMaxPartitionOrder;
constexpr unsigned kLargestParameter = 20;

using Sums = std::array<std::uint64_t, kMostPartitions>;

// The highest partition order whose partitions are equal, not too short and longer than the predictor.
int highest_order(std::size_t count, int order) {
  int highest = 0;
  while (highest < kMaxPartitionOrder) {
    const int next = highest + 1;
    const std::size_t length = count >> next;
    if (length << next != count || length < kShortestPartition || length <= static_cast<std::size_t>(order)) {
      break;
    }
    highest = next;
  }
  return highest;
}

// The sum of `count` values, each below kTooLarge; sets bits in `seen` like the values.
std::uint64_t sum_of(const std::uint32_t* values, std::size_t count, std::uint32_t* seen) {
  std::uint64_t sum = 0;
  std::uint32_t bits = *seen;
  while (count > 0) {
    const std::size_t some = std::min<std::size_t>(count, 64);
    std::uint32_t part = 0;
    for (std::size_t i = 0; i < some; ++i) {
      part += values[i];
      bits |= values[i];
    }
    sum += part;
    values += some;
    count -= some;
  }
  *seen = bits;
  return sum;
}

struct Choice {
  unsigned parameter;
  std::uint64_t bits;
};

// Codes of `count` residuals of a sum with parameter k: the low bits of a residual are taken to be half of
// their range in the mean.
std::uint64_t code_bits(std::uint64_t sum, std::uint64_t count, unsigned k) {
  const std::uint64_t lows = (count * ((std::uint64_t{1} << k) - 1)) >> 1;
  return count * (k + 1) + (sum > lows ? (sum - lows) >> k : 0);
}

Choice choose(std::uint64_t sum, std::uint64_t count) {
  if (count == 0 || sum == 0) return {0, count};
  const int estimate = __builtin_clzll(count) - __builtin_clzll(sum) - 1;
  unsigned k = estimate > 0 ? static_cast<unsigned>(estimate) : 0;
  Choice best{k, code_bits(sum, count, k)};
  for (++k; k <= kLargestParameter; ++k) {
    const std::uint64_t bits = code_bits(sum, count, k);
    if (bits >= best.bits) break;
    best = {k, bits};
  }
  return best;
}

// The plan with 2^partition_order partitions whose sums are given.
RicePlan plan_of(const Sums& sums, std::size_t count, int order, int partition_order) {
  RicePlan plan;
  plan.partition_order = partition_order;
  plan.possible = true;
  const std::size_t partitions = std::size_t{1} << partition_order;
  const std::uint64_t length = count >> partition_order;
  unsigned largest = 0;
  for (std::size_t at = 0; at < partitions; ++at) {
    const Choice choice = choose(sums[at], at == 0 ? length - static_cast<std::uint64_t>(order) : length);
    plan.parameters[at] = static_cast<std::uint8_t>(choice.parameter);
    plan.bits += choice.bits;
    largest = std::max(largest, choice.parameter);
  }
  plan.parameter_bits = largest > kPlainParameters ? 5 : 4;
  plan.bits += 6 + plan.parameter_bits * partitions;
  return plan;
}

}  // namespace

RicePlan plan_rice(const std::uint32_t* folded, std::size_t count, int order) {
  int partition_order = highest_order(count, order);
  const std::size_t length = count >> partition_order;
  Sums sums{};
  std::uint32_t seen = 0;
  for (std::size_t at = 0; at < std::size_t{1} << partition_order; ++at) {
    sums[at] = sum_of(folded + at * length, length, &seen);
  }
  if (seen >= kTooLarge) return {};
  RicePlan best = plan_of(sums, count, order, partition_order);
  while (partition_order > 0) {
    --partition_order;
    for (std::size_t at = 0; at < std::size_t{1} << partition_order; ++at) {
      sums[at] = sums[2 * at] + sums[2 * at + 1];
    }
    const RicePlan fewer = plan_of(sums, count, order, partition_order);
    if (fewer.bits <= best.bits) best = fewer;
  }
  return best;
}

}  // namespace speechmill::flac
