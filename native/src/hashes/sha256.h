// SHA-256 (FIPS 180-4): the identity of alphabets, vocabularies and language model files.
// Uses the processor's SHA instructions where it has them (some 1.6 GB/s), else portable code (some 300
// MB/s).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace speechmill {

class Sha256 {
public:
  Sha256();
  // Appends `size` bytes to the message.
  void update(const void* data, std::size_t size);
  void update(std::string_view text) { update(text.data(), text.size()); }
  // Ends the message and returns 64 lower-case hex digits. The object must not be used afterwards.
  std::string hex_digest();

private:
  void compress(const std::uint8_t* blocks, std::size_t count);

  std::array<std::uint32_t, 8> state_;
  std::array<std::uint8_t, 64> buffer_;
  std::uint64_t length_ = 0;  // bytes so far
};

// Hash of a string.
std::string sha256_hex(std::string_view text);

// Hash of a file's bytes; throws std::runtime_error with file and cause if it cannot be read.
std::string sha256_file(const std::string& path);

}  // namespace speechmill
