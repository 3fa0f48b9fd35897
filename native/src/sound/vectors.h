// Eight frames side by side: their numbers, and registers of four or eight of them.
//
// Code is written once for registers of any width; no operation joins two lanes, so the width changes no bit
// of any answer. Multiplication and addition are never joined (-ffp-contract=off).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sound/lanes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define SPEECHMILL_WIDE_LANES 1
#endif

#define SPEECHMILL_INLINE [[gnu::always_inline]] inline

namespace speechmill::sound {

constexpr std::size_t kFrames = 8;
constexpr double kPi = 3.14159265358979323846;

template <class Sample>
using FramePointers = std::array<const Sample*, kFrames>;

// Numbers of all frames side by side, on the boundary that wide registers like.
template <class Real>
struct alignas(32) FrameNumbers {
  Real of[kFrames];
};
using FrameFloats = FrameNumbers<float>;
using FrameDoubles = FrameNumbers<double>;

// Registers of kWidth numbers.
template <class Real, int kWidth>
struct Vector {
  typedef Real Numbers __attribute__((vector_size(sizeof(Real) * kWidth)));
};

template <class Real, class Numbers>
SPEECHMILL_INLINE void load_lanes(const FrameNumbers<Real>& from, std::size_t lane, Numbers* value) {
  std::memcpy(value, from.of + lane, sizeof *value);
}

template <class Real, class Numbers>
SPEECHMILL_INLINE void store_lanes(const Numbers& value, std::size_t lane, FrameNumbers<Real>* to) {
  std::memcpy(to->of + lane, &value, sizeof value);
}

// Whether wide registers are there and may be used.
inline bool goes_wide(Lanes lanes) {
#ifdef SPEECHMILL_WIDE_LANES
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  return lanes == Lanes::fastest && has_avx2;
#else
  (void)lanes;
  return false;
#endif
}

}  // namespace speechmill::sound
