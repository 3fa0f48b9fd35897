#include "hashes/sha256.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "hashes/sha256_rounds.h"

namespace speechmill {

using namespace sha256;

namespace {

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

}  // namespace

#ifdef SPEECHMILL_SHA_INSTRUCTIONS
__attribute__((target("sha,sse4.1,ssse3"))) void sha256::compress_with_instructions(
    State* state, const std::uint8_t* blocks, std::size_t count) {
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
