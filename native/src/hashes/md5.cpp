#include "hashes/md5.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "hashes/md5_lanes.h"
#include "hashes/md5_steps.h"

namespace speechmill {
namespace {

using md5::kLanes;

constexpr std::array<std::uint32_t, 4> kStart = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

std::uint32_t word_at(const std::uint8_t* bytes) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  if constexpr (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) word = __builtin_bswap32(word);
  return word;
}

void compress(std::array<std::uint32_t, 4>* state, const std::uint8_t* blocks, std::size_t count) {
  auto [a0, b0, c0, d0] = *state;
  for (; count > 0; --count, blocks += 64) {
    std::uint32_t m[16];
    for (std::size_t i = 0; i < 16; ++i) m[i] = word_at(blocks + 4 * i);
    std::uint32_t a = a0;
    std::uint32_t b = b0;
    std::uint32_t c = c0;
    std::uint32_t d = d0;
    SPEECHMILL_MD5_STEPS(SPEECHMILL_MD5_STEP)
    a0 += a, b0 += b, c0 += c, d0 += d;
  }
  *state = {a0, b0, c0, d0};
}

Md5Digest digest_of(const std::array<std::uint32_t, 4>& state) {
  Md5Digest digest;
  for (std::size_t i = 0; i < 16; ++i) digest[i] = static_cast<std::uint8_t>(state[i / 4] >> (8 * (i % 4)));
  return digest;
}

// The last one or two blocks of a message: what is left of it, a 1-bit, zeros, its length in bits.
std::size_t padded(const Md5Message& message, std::uint8_t (&tail)[128]) {
  const std::size_t rest = message.size % 64;
  std::memset(tail, 0, sizeof tail);
  if (rest > 0) std::memcpy(tail, message.data + (message.size - rest), rest);
  tail[rest] = 0x80;
  const std::size_t blocks = rest < 56 ? 1 : 2;
  const std::uint64_t bits = std::uint64_t{message.size} * 8;
  for (std::size_t i = 0; i < 8; ++i) tail[64 * blocks - 8 + i] = static_cast<std::uint8_t>(bits >> (8 * i));
  return blocks;
}

Md5Digest md5_of(const Md5Message& message) {
  std::array<std::uint32_t, 4> state = kStart;
  std::uint8_t tail[128];
  compress(&state, message.data, message.size / 64);
  compress(&state, tail, padded(message, tail));
  return digest_of(state);
}

// A message on its way through one lane: first its whole blocks, then its tail.
struct Lane {
  const std::uint8_t* next = nullptr;
  std::size_t blocks = 0;  // left of this stretch
  std::size_t message = 0;
  bool busy = false;
  bool in_tail = false;
  std::uint8_t tail[128] = {};
};

// Deals messages to lanes and takes their sums back.
class LaneTable {
public:
  LaneTable(const Md5Message* messages, std::size_t count, Md5Digest* digests)
      : messages_(messages), count_(count), digests_(digests), lanes_(kLanes) {}

  void run() {
    for (std::size_t lane = 0; lane < kLanes; ++lane) settle(lane);
    while (const std::size_t blocks = shortest()) {
      const std::uint8_t* data[kLanes];
      for (std::size_t lane = 0; lane < kLanes; ++lane) data[lane] = source_of(lane);
      md5::compress_lanes(&states_, data, blocks);
      for (std::size_t lane = 0; lane < kLanes; ++lane) advance(lane, blocks);
    }
  }

private:
  // The blocks that every busy lane still has; 0 when none is busy.
  std::size_t shortest() const {
    std::size_t blocks = 0;
    for (const Lane& lane : lanes_) {
      if (lane.busy && (blocks == 0 || lane.blocks < blocks)) blocks = lane.blocks;
    }
    return blocks;
  }

  // What a lane sums next; one without a message sums a busy one's bytes, for nothing.
  const std::uint8_t* source_of(std::size_t index) const {
    if (lanes_[index].busy) return lanes_[index].next;
    for (const Lane& lane : lanes_) {
      if (lane.busy) return lane.next;
    }
    return nullptr;
  }

  void advance(std::size_t index, std::size_t blocks) {
    Lane& lane = lanes_[index];
    if (!lane.busy) return;
    lane.next += 64 * blocks;
    lane.blocks -= blocks;
    settle(index);
  }

  // Moves a lane on until it has blocks to sum or there are no more messages.
  void settle(std::size_t index) {
    Lane& lane = lanes_[index];
    while (lane.blocks == 0) {
      if (lane.busy && !lane.in_tail) {
        lane.blocks = padded(messages_[lane.message], lane.tail);
        lane.next = lane.tail;
        lane.in_tail = true;
        continue;
      }
      if (lane.busy) {
        digests_[lane.message] = digest_of({states_.words[0][index], states_.words[1][index],
                                            states_.words[2][index], states_.words[3][index]});
      }
      lane.busy = next_ < count_;
      lane.in_tail = false;
      if (!lane.busy) return;
      lane.message = next_++;
      lane.next = messages_[lane.message].data;
      lane.blocks = messages_[lane.message].size / 64;
      for (std::size_t i = 0; i < 4; ++i) states_.words[i][index] = kStart[i];
    }
  }

  const Md5Message* messages_;
  std::size_t count_;
  Md5Digest* digests_;
  std::vector<Lane> lanes_;
  std::size_t next_ = 0;
  md5::LaneState states_{};
};

}  // namespace

void Md5::update(const void* data, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  const auto filled = static_cast<std::size_t>(length_ % 64);
  length_ += size;
  if (filled > 0) {
    const std::size_t take = std::min<std::size_t>(64 - filled, size);
    std::memcpy(buffer_.data() + filled, bytes, take);
    if (filled + take < 64) return;
    compress(&state_, buffer_.data(), 1);
    bytes += take, size -= take;
  }
  compress(&state_, bytes, size / 64);
  if (size % 64 > 0) std::memcpy(buffer_.data(), bytes + (size - size % 64), size % 64);
}

Md5Digest Md5::digest() {
  std::uint8_t tail[128];
  const std::size_t rest = static_cast<std::size_t>(length_ % 64);
  Md5Message last{buffer_.data(), rest};
  const std::size_t blocks = padded(last, tail);
  const std::uint64_t bits = length_ * 8;
  for (std::size_t i = 0; i < 8; ++i) tail[64 * blocks - 8 + i] = static_cast<std::uint8_t>(bits >> (8 * i));
  compress(&state_, tail, blocks);
  return digest_of(state_);
}

void md5_many(const Md5Message* messages, std::size_t count, Md5Digest* digests) {
  if (md5::has_lanes() && count > 1) {
    LaneTable(messages, count, digests).run();
    return;
  }
  for (std::size_t i = 0; i < count; ++i) digests[i] = md5_of(messages[i]);
}

}  // namespace speechmill
