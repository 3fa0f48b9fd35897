// The rounds of SHA-256 (FIPS 180-4), shared by one message and by two side by side.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>
#define SPEECHMILL_SHA_INSTRUCTIONS
#endif

namespace speechmill::sha256 {

using State = std::array<std::uint32_t, 8>;

constexpr State kFirst = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

constexpr std::array<std::uint32_t, 64> kRound = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// 64 lower-case hex digits.
inline std::string hex_of(const State& state) {
  static const char digits[] = "0123456789abcdef";
  std::string hex;
  for (const std::uint32_t word : state) {
    for (int shift = 28; shift >= 0; shift -= 4) hex += digits[(word >> shift) & 15];
  }
  return hex;
}

#ifdef SPEECHMILL_SHA_INSTRUCTIONS
inline bool look_for_sha_instructions() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0 || (c & bit_SSSE3) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

inline bool has_sha_instructions() {
  static const bool has = look_for_sha_instructions();
  return has;
}

#define SPEECHMILL_SHA_TARGET __attribute__((target("sha,sse4.1,ssse3"), always_inline)) inline

// The processor's own instructions keep the state as ABEF and CDGH.
struct Halves {
  __m128i abef;
  __m128i cdgh;
};

// Rounds 4 group to 4 group + 3 with their four words of the message.
SPEECHMILL_SHA_TARGET void four_rounds(Halves* state, int group, __m128i words) {
  const auto* const constants = reinterpret_cast<const __m128i*>(kRound.data() + 4 * group);
  const __m128i sums = _mm_add_epi32(words, _mm_loadu_si128(constants));
  state->cdgh = _mm_sha256rnds2_epu32(state->cdgh, state->abef, sums);
  state->abef = _mm_sha256rnds2_epu32(state->abef, state->cdgh, _mm_shuffle_epi32(sums, 0x0E));
}

// The message's next four words, from the sixteen before them, take the place of the first four.
SPEECHMILL_SHA_TARGET void next_words(__m128i* first, __m128i second, __m128i third, __m128i last) {
  const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(*first, second), _mm_alignr_epi8(last, third, 4));
  *first = _mm_sha256msg2_epu32(sum, last);
}

SPEECHMILL_SHA_TARGET void load_words(const std::uint8_t* block, __m128i* words) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto* const source = reinterpret_cast<const __m128i*>(block + 16 * i);
    words[i] = _mm_shuffle_epi8(_mm_loadu_si128(source), swap);
  }
}

SPEECHMILL_SHA_TARGET Halves load_halves(const State& state) {
  const auto* const words = reinterpret_cast<const __m128i*>(state.data());
  const __m128i dcba = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xB1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1B);
  return {_mm_alignr_epi8(dcba, hgfe, 8), _mm_blend_epi16(hgfe, dcba, 0xF0)};
}

SPEECHMILL_SHA_TARGET void store_halves(const Halves& halves, State* state) {
  auto* const words = reinterpret_cast<__m128i*>(state->data());
  const __m128i feba = _mm_shuffle_epi32(halves.abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(halves.cdgh, 0xB1);
  _mm_storeu_si128(words, _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(words + 1, _mm_alignr_epi8(dchg, feba, 8));
}

// Whole blocks of one message.
void compress_with_instructions(State* state, const std::uint8_t* blocks, std::size_t count);
#endif

}  // namespace speechmill::sha256
