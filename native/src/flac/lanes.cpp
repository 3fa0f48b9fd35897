#include "flac/lanes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace speechmill::flac {

#if defined(__x86_64__)
namespace {

#define SPEECHMILL_AVX2 __attribute__((target("avx2")))

SPEECHMILL_AVX2 inline __m256i load(const std::int32_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

SPEECHMILL_AVX2 inline void store(std::int32_t* to, __m256i value) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value);
}

// Rows to columns, eight by eight, in place.
SPEECHMILL_AVX2 inline void transpose(__m256i (&v)[8]) {
  __m256i pairs[8];
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_epi32(v[i], v[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_epi32(v[i], v[i + 1]);
  }
  __m256i fours[8];
  for (int i = 0; i < 8; i += 4) {
    fours[i] = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    v[i] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x20);
    v[i + 4] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x31);
  }
}

template <int kOrder>
SPEECHMILL_AVX2 void restore_avx2(const LaneRows& lanes, std::size_t start, std::size_t stop) {
  __m256i factors[kOrder];
  for (int i = 0; i < kOrder; ++i) factors[i] = load(lanes.factors[i]);
  const __m256i shifts = load(lanes.shifts);
  // known[kOrder - 1] is the newest sample of every lane; eight more are added behind it.
  __m256i known[kOrder + 8];
  for (int i = 0; i < kOrder; ++i) {
    std::int32_t newest[kLanes];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      newest[lane] = lanes.rows[lane][start - static_cast<std::size_t>(kOrder - i)];
    }
    known[i] = load(newest);
  }
  for (std::size_t n = start; n < stop; n += 8) {
    __m256i values[8];
    for (std::size_t lane = 0; lane < kLanes; ++lane) values[lane] = load(lanes.rows[lane] + n);
    transpose(values);
#pragma GCC unroll 8
    for (int step = 0; step < 8; ++step) {
      __m256i sum = _mm256_mullo_epi32(factors[kOrder - 1], known[step]);
#pragma GCC unroll 12
      for (int i = kOrder - 2; i >= 0; --i) {
        sum = _mm256_add_epi32(sum, _mm256_mullo_epi32(factors[i], known[step + kOrder - 1 - i]));
      }
      values[step] = _mm256_add_epi32(values[step], _mm256_srav_epi32(sum, shifts));
      known[step + kOrder] = values[step];
    }
    for (int i = 0; i < kOrder; ++i) known[i] = known[i + 8];
    transpose(values);
    for (std::size_t lane = 0; lane < kLanes; ++lane) store(lanes.rows[lane] + n, values[lane]);
  }
}

const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;

}  // namespace

bool has_lanes() {
  return kHasAvx2;
}

void restore_lanes(const LaneRows& lanes, int order, std::size_t start, std::size_t stop) {
  if (order <= 4) return restore_avx2<4>(lanes, start, stop);
  if (order <= 8) return restore_avx2<8>(lanes, start, stop);
  restore_avx2<12>(lanes, start, stop);
}
#else
bool has_lanes() {
  return false;
}

void restore_lanes(const LaneRows&, int, std::size_t, std::size_t) {}
#endif

}  // namespace speechmill::flac
