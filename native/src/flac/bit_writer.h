// Bits into memory, the most significant first. The caller provides the room: 8 bytes more than it writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace speechmill::flac {

class BitWriter {
public:
  explicit BitWriter(std::uint8_t* to) : next_(to) {}

  // The low `count` bits of `value`, which has no others; 1 to 56.
  void bits(std::uint64_t value, unsigned count) {
    window_ |= value << (64 - held_ - count);
    const std::uint64_t word = __builtin_bswap64(window_);
    std::memcpy(next_, &word, sizeof word);
    held_ += count;
    next_ += held_ >> 3;
    window_ <<= held_ & 56;
    held_ &= 7;
  }

  // `value` in two's complement.
  void number(std::int32_t value, unsigned count) {
    bits(static_cast<std::uint64_t>(value) & ((std::uint64_t{1} << count) - 1), count);
  }

  // `zeros` times 0, then 1.
  void unary(std::uint32_t zeros) {
    for (; zeros >= 32; zeros -= 32) bits(0, 32);
    bits(1, zeros + 1);
  }

  // A Rice code: value >> k in unary, then the low k bits.
  void rice(std::uint32_t value, unsigned k) {
    const std::uint32_t high = value >> k;
    const std::uint64_t low = (std::uint64_t{1} << k) | (value & ((std::uint32_t{1} << k) - 1));
    if (high <= 55 - k) {
      bits(low, high + k + 1);
      return;
    }
    unary(high);
    if (k != 0) bits(low ^ (std::uint64_t{1} << k), k);
  }

  // Zeros up to the next whole byte; afterwards `end` is what was written.
  std::uint8_t* finish() {
    if (held_ != 0) bits(0, 8 - held_);
    return next_;
  }

private:
  std::uint8_t* next_;
  std::uint64_t window_ = 0;  // bits not yet whole bytes, from the top
  unsigned held_ = 0;         // how many, 0 to 7
};

}  // namespace speechmill::flac
