#include "native/flac_crc.h"

#include <array>
#include <cstring>

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

}  // namespace

std::uint8_t flac_crc8(const std::uint8_t* data, std::size_t size) {
  std::uint8_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum = kCrc8[sum ^ data[i]];
  return sum;
}

std::uint16_t flac_crc16(const std::uint8_t* data, std::size_t size, std::uint16_t start) {
  unsigned sum = start;
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

}  // namespace speechmill
