#include "flac/codes.h"

#include <algorithm>

#include "flac/subframe.h"

#if defined(__x86_64__)
#define SPEECHMILL_BIT_INSTRUCTIONS 1
#endif

namespace speechmill::flac {
namespace {

// As many codes at a time as mostly fit into the window: a code takes its k low bits, its 1-bit and most
// often no more than two or three 0-bits.
SPEECHMILL_INLINE void rice_partition(Bits* bits, int k, std::int32_t* residuals, std::size_t count) {
  if (k == 0) return bits->rice_run<6>(k, residuals, count);
  if (k <= 7) return bits->rice_run<5>(k, residuals, count);
  if (k <= 10) return bits->rice_run<4>(k, residuals, count);
  if (k <= 12) return bits->rice_run<3>(k, residuals, count);
  if (k <= 23) return bits->rice_run<2>(k, residuals, count);
  bits->rice_run<1>(k, residuals, count);
}

void plain_partition(Bits* bits, std::int32_t* residuals, std::size_t count) {
  const int width = static_cast<int>(bits->take(5));
  if (width == 0) {
    std::fill(residuals, residuals + count, 0);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) residuals[i] = static_cast<std::int32_t>(bits->take_signed(width));
}

struct Partitions {
  int parameter_bits;
  std::size_t count;
  std::size_t size;
};

SPEECHMILL_INLINE void read_all(Bits* bits, const Partitions& partitions, std::size_t order,
                                std::int32_t* residuals) {
  const int escape = (1 << partitions.parameter_bits) - 1;
  std::size_t at = order;
  for (std::size_t i = 1; i <= partitions.count; ++i) {
    const int k = static_cast<int>(bits->take(partitions.parameter_bits));
    const std::size_t count = partitions.size * i - at;
    if (k == escape) {
      plain_partition(bits, residuals + at, count);
    } else {
      rice_partition(bits, k, residuals + at, count);
    }
    at += count;
  }
}

#ifdef SPEECHMILL_BIT_INSTRUCTIONS
// The same code with the instructions that shift and count in one step.
__attribute__((target("lzcnt,bmi,bmi2"))) void read_all_bmi(Bits* bits, const Partitions& partitions,
                                                            std::size_t order, std::int32_t* residuals) {
  read_all(bits, partitions, order, residuals);
}

const bool kHasBitInstructions = __builtin_cpu_supports("bmi2") != 0 && __builtin_cpu_supports("bmi") != 0;
#endif

}  // namespace

void read_residuals(Bits* bits, std::size_t block, std::size_t order, std::int32_t* residuals) {
  const std::uint64_t method = bits->take(2);
  if (method > 1) throw Forbidden{"the coding of its residuals is a reserved value"};
  const int partition_order = static_cast<int>(bits->take(4));
  const std::size_t count = std::size_t{1} << partition_order;
  if (block % count != 0 || block / count < order) {
    throw Forbidden{"its residuals lie in more partitions than its block allows"};
  }
  const Partitions partitions{method == 0 ? 4 : 5, count, block / count};
#ifdef SPEECHMILL_BIT_INSTRUCTIONS
  if (kHasBitInstructions) return read_all_bmi(bits, partitions, order, residuals);
#endif
  read_all(bits, partitions, order, residuals);
}

}  // namespace speechmill::flac
