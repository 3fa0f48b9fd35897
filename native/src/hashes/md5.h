// MD5 (RFC 1321): the sum by which FLAC proves its samples. Not for secrets.
//
// One message costs some 5 cycles per byte, because each step waits for the one before; `md5_many` sums up to
// eight messages side by side where the processor has AVX2.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace speechmill {

using Md5Digest = std::array<std::uint8_t, 16>;

class Md5 {
public:
  // Appends `size` bytes to the message.
  void update(const void* data, std::size_t size);
  // Ends the message. The object must not be used afterwards.
  Md5Digest digest();

private:
  std::array<std::uint32_t, 4> state_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  std::array<std::uint8_t, 64> buffer_{};
  std::uint64_t length_ = 0;  // bytes so far
};

struct Md5Message {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
};

// The sums of `count` messages.
void md5_many(const Md5Message* messages, std::size_t count, Md5Digest* digests);

}  // namespace speechmill
