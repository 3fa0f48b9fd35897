// The two checksums of FLAC frames (RFC 9639, 9.1.8 and 9.3): both from the most significant bit on, starting
// at zero, without a final inversion. By products of polynomials where the processor has them, else by
// tables.
#pragma once

#include <cstddef>
#include <cstdint>

namespace speechmill {

// CRC-8 with x^8 + x^2 + x + 1: the last byte of a frame header.
std::uint8_t flac_crc8(const std::uint8_t* data, std::size_t size);

// CRC-16 with x^16 + x^15 + x^2 + 1: the last two bytes of a frame, most significant first. `start` is the
// sum of what came before.
std::uint16_t flac_crc16(const std::uint8_t* data, std::size_t size, std::uint16_t start = 0);

}  // namespace speechmill
