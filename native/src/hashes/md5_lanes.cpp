#include "hashes/md5_lanes.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#include "hashes/md5_steps.h"
#endif

namespace speechmill::md5 {

#if defined(__x86_64__)
namespace {

#define SPEECHMILL_AVX2 __attribute__((target("avx2")))

typedef std::uint32_t Words __attribute__((vector_size(4 * kLanes)));

SPEECHMILL_AVX2 inline __m256i load(const std::uint8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

// Eight words of every lane, from `at` bytes behind its pointer: words[i] gets the i-th of each.
SPEECHMILL_AVX2 inline void gather(const std::uint8_t* const (&data)[kLanes], std::size_t at, Words* words) {
  __m256i pairs[8];
  for (std::size_t i = 0; i < 8; i += 2) {
    const __m256i even = load(data[i] + at);
    const __m256i odd = load(data[i + 1] + at);
    pairs[i] = _mm256_unpacklo_epi32(even, odd);
    pairs[i + 1] = _mm256_unpackhi_epi32(even, odd);
  }
  __m256i fours[8];
  for (std::size_t i = 0; i < 8; i += 4) {
    fours[i] = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    words[i] = reinterpret_cast<Words>(_mm256_permute2x128_si256(fours[i], fours[i + 4], 0x20));
    words[i + 4] = reinterpret_cast<Words>(_mm256_permute2x128_si256(fours[i], fours[i + 4], 0x31));
  }
}

SPEECHMILL_AVX2 void compress_avx2(LaneState* state, const std::uint8_t* const (&data)[kLanes],
                                   std::size_t count) {
  Words sums[4];
  std::memcpy(sums, state->words, sizeof sums);
  for (std::size_t block = 0; block < count; ++block) {
    Words m[16];
    gather(data, 64 * block, m);
    gather(data, 64 * block + 32, m + 8);
    Words a = sums[0];
    Words b = sums[1];
    Words c = sums[2];
    Words d = sums[3];
    SPEECHMILL_MD5_STEPS(SPEECHMILL_MD5_STEP)
    sums[0] += a, sums[1] += b, sums[2] += c, sums[3] += d;
  }
  std::memcpy(state->words, sums, sizeof sums);
}

const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;

}  // namespace

bool has_lanes() {
  return kHasAvx2;
}

void compress_lanes(LaneState* state, const std::uint8_t* const (&data)[kLanes], std::size_t count) {
  compress_avx2(state, data, count);
}
#else
bool has_lanes() {
  return false;
}

void compress_lanes(LaneState*, const std::uint8_t* const (&)[kLanes], std::size_t) {}
#endif

}  // namespace speechmill::md5
