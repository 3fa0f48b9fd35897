#include "flac/crc.h"

#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace speechmill {
namespace {

constexpr std::size_t kStride = 8;  // bytes that one step takes

constexpr std::uint8_t crc8_of_byte(unsigned byte) {
  unsigned sum = byte;
  for (int bit = 0; bit < 8; ++bit) sum = sum << 1 ^ ((sum & 0x80) != 0 ? 0x107U : 0U);
  return static_cast<std::uint8_t>(sum);
}

constexpr std::array<std::uint8_t, 256> crc8_table() {
  std::array<std::uint8_t, 256> table{};
  for (unsigned i = 0; i < 256; ++i) table[i] = crc8_of_byte(i);
  return table;
}

// Row r holds the sums of one byte followed by r zero bytes.
using Crc16Tables = std::array<std::array<std::uint16_t, 256>, kStride>;

constexpr Crc16Tables crc16_tables() {
  Crc16Tables tables{};
  for (unsigned i = 0; i < 256; ++i) {
    unsigned sum = i << 8;
    for (int bit = 0; bit < 8; ++bit) sum = sum << 1 ^ ((sum & 0x8000) != 0 ? 0x18005U : 0U);
    tables[0][i] = static_cast<std::uint16_t>(sum);
  }
  for (std::size_t row = 1; row < kStride; ++row) {
    for (std::size_t i = 0; i < 256; ++i) {
      const unsigned before = tables[row - 1][i];
      tables[row][i] = static_cast<std::uint16_t>(before << 8 ^ tables[0][before >> 8]);
    }
  }
  return tables;
}

constexpr std::array<std::uint8_t, 256> kCrc8 = crc8_table();
constexpr Crc16Tables kCrc16 = crc16_tables();

std::uint16_t by_table(const std::uint8_t* data, std::size_t size, unsigned sum) {
  for (; size >= kStride; size -= kStride, data += kStride) {
    sum = kCrc16[7][(sum >> 8) ^ data[0]] ^ kCrc16[6][(sum & 0xFF) ^ data[1]] ^ kCrc16[5][data[2]] ^
          kCrc16[4][data[3]] ^ kCrc16[3][data[4]] ^ kCrc16[2][data[5]] ^ kCrc16[1][data[6]] ^
          kCrc16[0][data[7]];
  }
  for (std::size_t i = 0; i < size; ++i) {
    sum = (sum << 8 & 0xFFFF) ^ kCrc16[0][(sum >> 8) ^ data[i]];
  }
  return static_cast<std::uint16_t>(sum);
}

#if defined(__x86_64__)
constexpr std::size_t kFold = 64;  // bytes that one step of products takes

// x^n modulo the polynomial.
constexpr long long power_of_x(int n) {
  unsigned value = 1;
  for (int i = 0; i < n; ++i) value = value << 1 ^ ((value & 0x8000) != 0 ? 0x18005U : 0U);
  return value;
}

#define SPEECHMILL_PRODUCTS __attribute__((target("pclmul,ssse3,sse4.1")))

// 16 bytes as a polynomial, the first bit the highest power.
SPEECHMILL_PRODUCTS inline __m128i polynomial(const std::uint8_t* from) {
  const __m128i reverse = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)), reverse);
}

// `front` moved on by as many bits as `powers` stand for, plus what lies there. Powers: x^(bits + 64),
// x^bits.
SPEECHMILL_PRODUCTS inline __m128i folded(__m128i front, __m128i powers, __m128i there) {
  const __m128i high = _mm_clmulepi64_si128(front, powers, 0x11);
  const __m128i low = _mm_clmulepi64_si128(front, powers, 0x00);
  return _mm_xor_si128(_mm_xor_si128(high, low), there);
}

// Replaces all whole steps of 64 bytes (two at least) by 16 bytes of the same sum, and takes these.
SPEECHMILL_PRODUCTS std::uint16_t by_products(const std::uint8_t* data, std::size_t size, unsigned start) {
  __m128i front[4];
  for (int i = 0; i < 4; ++i) front[i] = polynomial(data + 16 * i);
  front[0] = _mm_xor_si128(front[0], _mm_set_epi64x(static_cast<long long>(std::uint64_t{start} << 48), 0));
  const __m128i far = _mm_set_epi64x(power_of_x(512 + 64), power_of_x(512));
  const __m128i near = _mm_set_epi64x(power_of_x(128 + 64), power_of_x(128));
  std::size_t at = kFold;
  for (; size - at >= kFold; at += kFold) {
    for (std::size_t i = 0; i < 4; ++i) front[i] = folded(front[i], far, polynomial(data + at + 16 * i));
  }
  for (int i = 1; i < 4; ++i) front[i] = folded(front[i - 1], near, front[i]);
  std::uint8_t bytes[16];
  const __m128i reverse = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes), _mm_shuffle_epi8(front[3], reverse));
  return by_table(data + at, size - at, by_table(bytes, sizeof bytes, 0));
}

const bool kHasProducts = __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
#endif

}  // namespace

std::uint8_t flac_crc8(const std::uint8_t* data, std::size_t size) {
  std::uint8_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum = kCrc8[sum ^ data[i]];
  return sum;
}

std::uint16_t flac_crc16(const std::uint8_t* data, std::size_t size, std::uint16_t start) {
#if defined(__x86_64__)
  if (kHasProducts && size >= 2 * kFold) return by_products(data, size, start);
#endif
  return by_table(data, size, start);
}

}  // namespace speechmill
