#include <algorithm>
#include <cstring>

#include "hashes/sha256.h"
#include "hashes/sha256_rounds.h"

namespace speechmill {
namespace {

using namespace sha256;

constexpr std::size_t kBlock = 64;

#ifdef SPEECHMILL_SHA_INSTRUCTIONS
// A message under way: whole blocks of its own first, then one or two with the rest and the length.
struct Lane {
  State state = kFirst;
  std::size_t message = 0;  // its number
  const std::uint8_t* blocks = nullptr;
  std::size_t left = 0;  // blocks
  std::array<std::uint8_t, 2 * kBlock> tail{};
  std::size_t tail_blocks = 0;
  bool is_busy = false;
};

void start(const std::vector<Sha256Message>& messages, std::size_t number, Lane* lane) {
  const Sha256Message& message = messages[number];
  const auto* bytes = static_cast<const std::uint8_t*>(message.data);
  const std::size_t rest = message.size % kBlock;
  *lane = Lane{};
  lane->is_busy = true;
  lane->message = number;
  lane->blocks = bytes;
  lane->left = message.size / kBlock;
  lane->tail_blocks = rest < kBlock - 8 ? 1 : 2;
  if (rest > 0) std::memcpy(lane->tail.data(), bytes + message.size - rest, rest);
  lane->tail[rest] = 0x80;
  const std::uint64_t bits = std::uint64_t{message.size} * 8;
  for (std::size_t i = 0; i < 8; ++i) {
    lane->tail[lane->tail_blocks * kBlock - 1 - i] = static_cast<std::uint8_t>(bits >> (8 * i));
  }
}

// Whether there is a block to do; turns to the tail where the message's own blocks are done.
bool has_blocks(Lane* lane) {
  if (lane->left == 0 && lane->tail_blocks > 0) {
    lane->blocks = lane->tail.data();
    lane->left = lane->tail_blocks;
    lane->tail_blocks = 0;
  }
  return lane->left > 0;
}

// The rounds of a group of both lanes, and the words that take the place of the first of `w`.
SPEECHMILL_SHA_TARGET void both(Halves* now, __m128i (*w)[4], int group, int first) {
  for (int lane = 0; lane < 2; ++lane) {
    four_rounds(&now[lane], group, w[lane][first]);
    next_words(&w[lane][first], w[lane][(first + 1) % 4], w[lane][(first + 2) % 4], w[lane][(first + 3) % 4]);
  }
}

__attribute__((target("sha,sse4.1,ssse3"))) void compress_two(Lane* one, Lane* other) {
  const std::size_t count = std::min(one->left, other->left);
  Halves now[2] = {load_halves(one->state), load_halves(other->state)};
  for (std::size_t block = 0; block < count; ++block) {
    const Halves before[2] = {now[0], now[1]};
    __m128i w[2][4];
    load_words(one->blocks + kBlock * block, w[0]);
    load_words(other->blocks + kBlock * block, w[1]);
    for (int group = 0; group < 12; group += 4) {
      both(now, w, group, 0);
      both(now, w, group + 1, 1);
      both(now, w, group + 2, 2);
      both(now, w, group + 3, 3);
    }
    for (int i = 0; i < 4; ++i) {
      four_rounds(&now[0], 12 + i, w[0][i]);
      four_rounds(&now[1], 12 + i, w[1][i]);
    }
    for (int lane = 0; lane < 2; ++lane) {
      now[lane] = {_mm_add_epi32(now[lane].abef, before[lane].abef),
                   _mm_add_epi32(now[lane].cdgh, before[lane].cdgh)};
    }
  }
  store_halves(now[0], &one->state);
  store_halves(now[1], &other->state);
  for (Lane* lane : {one, other}) {
    lane->blocks += kBlock * count;
    lane->left -= count;
  }
}

std::vector<std::string> two_at_once(const std::vector<Sha256Message>& messages) {
  std::vector<std::string> answers(messages.size());
  std::size_t next = 0;
  // Whether the lane has a block to do, of its message or of the next one.
  const auto fill = [&](Lane* lane) {
    while (!has_blocks(lane)) {
      if (lane->is_busy) answers[lane->message] = hex_of(lane->state);
      lane->is_busy = false;
      if (next == messages.size()) return false;
      start(messages, next++, lane);
    }
    return true;
  };
  Lane one;
  Lane other;
  while (true) {
    const bool has_one = fill(&one);
    const bool has_other = fill(&other);
    if (!has_one && !has_other) return answers;
    if (has_one && has_other) {
      compress_two(&one, &other);
    } else {
      Lane* const alone = has_one ? &one : &other;
      compress_with_instructions(&alone->state, alone->blocks, alone->left);
      alone->left = 0;
    }
  }
}
#endif

}  // namespace

std::vector<std::string> sha256_many(const std::vector<Sha256Message>& messages) {
#ifdef SPEECHMILL_SHA_INSTRUCTIONS
  if (has_sha_instructions()) return two_at_once(messages);
#endif
  std::vector<std::string> answers;
  for (const Sha256Message& message : messages) {
    Sha256 hash;
    hash.update(message.data, message.size);
    answers.push_back(hash.hex_digest());
  }
  return answers;
}

}  // namespace speechmill
