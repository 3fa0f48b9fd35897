#include "hashes/sha256.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>
#define SPEECHMILL_SHA_INSTRUCTIONS
#endif

namespace speechmill {
namespace {

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
std::string hex_of(const State& state) {
  static const char digits[] = "0123456789abcdef";
  std::string hex;
  for (const std::uint32_t word : state) {
    for (int shift = 28; shift >= 0; shift -= 4) hex += digits[(word >> shift) & 15];
  }
  return hex;
}

#ifdef SPEECHMILL_SHA_INSTRUCTIONS
bool look_for_sha_instructions() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_1) == 0 || (c & bit_SSSE3) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

bool has_sha_instructions() {
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

#endif

std::uint32_t rotate_right(std::uint32_t value, int bits) {
  return (value >> bits) | (value << (32 - bits));
}

void compress_portable(State* state, const std::uint8_t* block) {
  std::array<std::uint32_t, 64> w;
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = static_cast<std::uint32_t>(block[4 * i]) << 24 |
           static_cast<std::uint32_t>(block[4 * i + 1]) << 16 |
           static_cast<std::uint32_t>(block[4 * i + 2]) << 8 | block[4 * i + 3];
  }
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t s0 = rotate_right(w[i - 15], 7) ^ rotate_right(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const std::uint32_t s1 = rotate_right(w[i - 2], 17) ^ rotate_right(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = *state;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t s1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
    const std::uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kRound[i] + w[i];
    const std::uint32_t s0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
    const std::uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const std::array<std::uint32_t, 8> sums = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) (*state)[i] += sums[i];
}

#ifdef SPEECHMILL_SHA_INSTRUCTIONS
__attribute__((target("sha,sse4.1,ssse3"))) void compress_with_instructions(State* state,
                                                                            const std::uint8_t* blocks,
                                                                            std::size_t count) {
  Halves now = load_halves(*state);
  for (; count > 0; --count, blocks += 64) {
    const Halves before = now;
    __m128i w[4];
    load_words(blocks, w);
    // The next words are made while rounds are under way: a round waits for the one before it only.
    for (int group = 0; group < 12; group += 4) {
      four_rounds(&now, group, w[0]);
      next_words(&w[0], w[1], w[2], w[3]);
      four_rounds(&now, group + 1, w[1]);
      next_words(&w[1], w[2], w[3], w[0]);
      four_rounds(&now, group + 2, w[2]);
      next_words(&w[2], w[3], w[0], w[1]);
      four_rounds(&now, group + 3, w[3]);
      next_words(&w[3], w[0], w[1], w[2]);
    }
    for (int i = 0; i < 4; ++i) four_rounds(&now, 12 + i, w[i]);
    now = {_mm_add_epi32(now.abef, before.abef), _mm_add_epi32(now.cdgh, before.cdgh)};
  }
  store_halves(now, state);
}
#endif

}  // namespace

Sha256::Sha256() : state_(kFirst), buffer_{} {}

void Sha256::compress(const std::uint8_t* blocks, std::size_t count) {
#ifdef SPEECHMILL_SHA_INSTRUCTIONS
  if (has_sha_instructions()) {
    compress_with_instructions(&state_, blocks, count);
    return;
  }
#endif
  for (std::size_t i = 0; i < count; ++i) compress_portable(&state_, blocks + 64 * i);
}

void Sha256::update(const void* data, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  std::size_t filled = length_ % 64;
  length_ += size;
  while (size > 0) {
    if (filled == 0 && size >= 64) {
      const std::size_t blocks = size / 64;
      compress(bytes, blocks);
      bytes += 64 * blocks, size -= 64 * blocks;
      continue;
    }
    const std::size_t take = std::min<std::size_t>(64 - filled, size);
    std::memcpy(buffer_.data() + filled, bytes, take);
    bytes += take, size -= take, filled += take;
    if (filled == 64) {
      compress(buffer_.data(), 1);
      filled = 0;
    }
  }
}

std::string Sha256::hex_digest() {
  const std::uint64_t bits = length_ * 8;
  const std::uint8_t one = 0x80;
  const std::uint8_t zero = 0;
  update(&one, 1);
  while (length_ % 64 != 56) update(&zero, 1);
  std::uint8_t tail[8];
  for (int i = 0; i < 8; ++i) tail[i] = static_cast<std::uint8_t>(bits >> (56 - 8 * i));
  update(tail, 8);
  return hex_of(state_);
}

std::string sha256_hex(std::string_view text) {
  Sha256 hash;
  hash.update(text);
  return hash.hex_digest();
}

std::string sha256_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) throw std::runtime_error(path + " cannot be opened: " + std::strerror(errno));
  std::vector<char> chunk(1 << 20);
  Sha256 hash;
  std::size_t got = 0;
  while ((got = std::fread(chunk.data(), 1, chunk.size(), file.get())) > 0) hash.update(chunk.data(), got);
  if (std::ferror(file.get())) throw std::runtime_error(path + " cannot be read: " + std::strerror(errno));
  return hash.hex_digest();
}

}  // namespace speechmill
