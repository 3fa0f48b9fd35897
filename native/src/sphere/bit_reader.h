// Bits and Rice codes of a byte string, from the most significant bit on, as shorten writes them.
//
// Throws EndOfData behind the last bit and never reads past the end. Knows nothing of commands or sound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace speechmill {

struct EndOfData {};

// Bits from the most significant on, through a 64-bit window.
class BitReader {
public:
  static constexpr std::uint64_t kTooLarge = std::uint64_t{1} << 63;  // a code that no sound needs

  BitReader(const std::uint8_t* data, std::size_t size) : next_(data), end_(data + size) {}

  // `count` bits, at most 40.
  std::uint64_t bits(int count) {
    refill();
    if (left_ < count) throw EndOfData{};
    const std::uint64_t value = window_ >> 1 >> (63 - count);
    take(count);
    return value;
  }

  // A Rice code of k <= 33 low bits: the number of 0-bits before the next 1-bit, then k bits.
  std::uint64_t rice(int k) {
    if (left_ < 40) refill();
    if (window_ != 0) {
      const int zeros = __builtin_clzll(window_);
      const int length = zeros + 1 + k;
      if (length <= left_) {
        const std::uint64_t low = window_ << (zeros + 1) >> 1 >> (63 - k);
        take(length);
        return static_cast<std::uint64_t>(zeros) << k | low;
      }
    }
    return long_rice(k);
  }

private:
  // Afterwards at least 56 bits are there, unless the data end. Bits behind `left_` may be there already.
  void refill() {
    if (end_ - next_ >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, next_, sizeof word);
      window_ |= __builtin_bswap64(word) >> left_;
      next_ += (63 - left_) >> 3;
      left_ |= 56;
      return;
    }
    for (; left_ <= 55 && next_ < end_; left_ += 8) {
      window_ |= std::uint64_t{*next_++} << (56 - left_);
    }
  }

  void take(int count) {
    window_ <<= count;
    left_ -= count;
  }

  // A code that does not fit into the window; more than 2^40 zeros are cut off there and refused later.
  std::uint64_t long_rice(int k) {
    std::uint64_t zeros = 0;
    while (true) {
      refill();
      if (left_ == 0) throw EndOfData{};
      const int leading = window_ == 0 ? 64 : __builtin_clzll(window_);
      if (leading < left_) {
        zeros += static_cast<std::uint64_t>(leading);
        take(leading + 1);
        break;
      }
      zeros += static_cast<std::uint64_t>(left_);
      take(left_);
    }
    if (zeros >> (40 - k) != 0) return kTooLarge;
    return zeros << k | bits(k);
  }

  const std::uint8_t* next_;
  const std::uint8_t* end_;
  std::uint64_t window_ = 0;
  int left_ = 0;  // bits of the window that count, at most 63
};

}  // namespace speechmill
