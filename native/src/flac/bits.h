// Bits of a FLAC frame from the most significant on, through a 64-bit window; runs of Rice codes at speed.
//
// Throws EndOfBits behind the last bit and never reads past the end. Knows nothing of frames or sound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace speechmill::flac {

struct EndOfBits {};
struct ResidualTooLarge {};

#define SPEECHMILL_INLINE [[gnu::always_inline]] inline

class Bits {
public:
  Bits(const std::uint8_t* data, std::size_t size) : begin_(data), next_(data), end_(data + size) {}

  // Bits taken so far.
  std::size_t position() const {
    return static_cast<std::size_t>(next_ - begin_) * 8 - static_cast<std::size_t>(left_);
  }
  std::size_t byte_position() const { return position() / 8; }

  // `count` bits, 0 to 56.
  SPEECHMILL_INLINE std::uint64_t take(int count) {
    refill();
    if (left_ < count) throw EndOfBits{};
    const std::uint64_t value = window_ >> 1 >> (63 - count);
    drop(count);
    return value;
  }

  // A number of `count` bits, 1 to 56, in two's complement.
  SPEECHMILL_INLINE std::int64_t take_signed(int count) {
    const std::uint64_t sign = std::uint64_t{1} << (count - 1);
    return static_cast<std::int64_t>(take(count) ^ sign) - static_cast<std::int64_t>(sign);
  }

  // The number of 0-bits before the next 1-bit, which is taken too.
  std::uint64_t take_unary() {
    std::uint64_t zeros = 0;
    while (true) {
      refill();
      if (left_ == 0) throw EndOfBits{};
      const int leading = window_ == 0 ? 64 : __builtin_clzll(window_);
      if (leading < left_) {
        drop(leading + 1);
        return zeros + static_cast<std::uint64_t>(leading);
      }
      zeros += static_cast<std::uint64_t>(left_);
      drop(left_);
    }
  }

  // The bits up to the next whole byte; true when all were 0.
  bool skip_to_byte() { return take(left_ & 7) == 0; }

  // `count` residuals, each a Rice code of `k` <= 30 low bits, `kCodes` of them (that mostly fit into 56
  // bits) at a time.
  template <int kCodes>
  SPEECHMILL_INLINE void rice_run(int k, std::int32_t* residuals, std::size_t count) {
    std::size_t done = 0;
    while (done < count) {
      if (count - done >= kCodes) done = rice_groups<kCodes>(k, residuals, done, count);
      // What is left: a few codes, long ones, or the last bytes of the data.
      for (int i = 0; i < kCodes && done < count; ++i) residuals[done++] = rice(k);
    }
  }

private:
  // Afterwards at least 56 bits are there, unless the data end. Bits behind `left_` may be there already.
  SPEECHMILL_INLINE void refill() {
    if (end_ - next_ >= 8) {
      window_ |= big_endian(next_) >> left_;
      next_ += (63 - left_) >> 3;
      left_ |= 56;
      return;
    }
    for (; left_ <= 55 && next_ < end_; left_ += 8) window_ |= std::uint64_t{*next_++} << (56 - left_);
  }

  SPEECHMILL_INLINE static std::uint64_t big_endian(const std::uint8_t* from) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof word);
    if constexpr (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) word = __builtin_bswap64(word);
    return word;
  }

  SPEECHMILL_INLINE void drop(int count) {
    window_ <<= count;  // at most 63
    left_ -= count;
  }

  SPEECHMILL_INLINE static std::int32_t unfold(std::uint32_t code) {
    return static_cast<std::int32_t>(code >> 1 ^ (0U - (code & 1)));
  }

  std::int32_t rice(int k) {
    const std::uint64_t high = take_unary();
    if (high > std::uint64_t{0xFFFFFFFF} >> k) throw ResidualTooLarge{};
    const std::uint64_t code = high << k | take(k);
    if (code >= 0xFFFFFFFF) throw ResidualTooLarge{};  // RFC 9639, 9.2.7.3: -2^31 is not a residual
    return unfold(static_cast<std::uint32_t>(code));
  }

  // Groups of kCodes codes as long as each group fits into the window. With kCodes >= 2, k is at most 23 and
  // no code of a group that fits is wider than 32 bits.
  template <int kCodes>
  SPEECHMILL_INLINE std::size_t rice_groups(int k, std::int32_t* residuals, std::size_t done,
                                            std::size_t count) {
    std::uint64_t window = window_;
    const std::uint8_t* next = next_;
    int left = left_;
    while (count - done >= kCodes && end_ - next >= 8) {
      window |= big_endian(next) >> left;
      next += (63 - left) >> 3;
      left |= 56;
      std::uint64_t rest = window;
      int used = 0;
      for (int i = 0; i < kCodes; ++i) {
        const int zeros = __builtin_clzll(rest | 1);
        const int length = zeros + 1 + k;
        // The top `length` bits are 2^k + low.
        const std::uint64_t code =
            (rest >> (-length & 63)) + (static_cast<std::uint64_t>(zeros) << k) - (std::uint64_t{1} << k);
        if (kCodes == 1 && code >= 0xFFFFFFFF) used = 64;  // to be refused below
        residuals[done + static_cast<std::size_t>(i)] = unfold(static_cast<std::uint32_t>(code));
        rest <<= length & 63;
        used += length;
      }
      if (used > left) break;  // the last of them was not whole
      window = rest;
      left -= used;
      done += kCodes;
    }
    window_ = window;
    next_ = next;
    left_ = left;
    return done;
  }

  const std::uint8_t* begin_;
  const std::uint8_t* next_;
  const std::uint8_t* end_;
  std::uint64_t window_ = 0;
  int left_ = 0;  // bits of the window that count, at most 63
};

}  // namespace speechmill::flac
