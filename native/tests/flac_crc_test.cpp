#include "flac/crc.h"

#include <string>
#include <vector>

#include "check.h"

using namespace speechmill;

namespace {

const std::uint8_t* bytes_of(const std::string& text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

// Bit by bit, as the polynomial says.
unsigned by_bits(const std::vector<std::uint8_t>& bytes, unsigned polynomial, int width) {
  unsigned sum = 0;
  for (const std::uint8_t byte : bytes) {
    for (int bit = 7; bit >= 0; --bit) {
      const unsigned top = sum >> (width - 1) & 1;
      sum = (sum << 1 & ((1U << width) - 1)) ^ ((top ^ (byte >> bit & 1)) != 0 ? polynomial : 0);
    }
  }
  return sum;
}

void known_sums() {
  const std::string digits = "123456789";
  CHECK_EQUAL(static_cast<int>(flac_crc8(bytes_of(digits), digits.size())), 0xF4);
  CHECK_EQUAL(flac_crc16(bytes_of(digits), digits.size()), 0xFEE8);
  CHECK_EQUAL(static_cast<int>(flac_crc8(nullptr, 0)), 0);
  CHECK_EQUAL(flac_crc16(nullptr, 0), 0);
}

void every_length_agrees_with_the_polynomial() {
  std::vector<std::uint8_t> bytes;
  std::uint32_t seed = 1;
  for (int i = 0; i < 700; ++i) {
    CHECK_EQUAL(static_cast<unsigned>(flac_crc8(bytes.data(), bytes.size())), by_bits(bytes, 0x07, 8));
    CHECK_EQUAL(static_cast<unsigned>(flac_crc16(bytes.data(), bytes.size())), by_bits(bytes, 0x8005, 16));
    seed = seed * 1664525 + 1013904223;
    bytes.push_back(static_cast<std::uint8_t>(seed >> 24));
  }
}

void pieces_make_the_whole() {
  std::string text = "a sum goes on where the one before it ended, at whatever byte that was";
  while (text.size() < 500) text += text + "!";
  const std::uint16_t whole = flac_crc16(bytes_of(text), text.size());
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::uint16_t first = flac_crc16(bytes_of(text), cut);
    CHECK_EQUAL(flac_crc16(bytes_of(text) + cut, text.size() - cut, first), whole);
  }
}

}  // namespace

int main() {
  return testing::run_tests(
      {{"known_sums", known_sums},
       {"every_length_agrees_with_the_polynomial", every_length_agrees_with_the_polynomial},
       {"pieces_make_the_whole", pieces_make_the_whole}});
}
