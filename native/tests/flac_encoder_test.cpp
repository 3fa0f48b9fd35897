// The encoder's vector code and portable code give the same file, whatever the samples; the header says what
// it must.
#include "flac/encoder.h"

#include <stdexcept>
#include <vector>

#include "check.h"

namespace {

using Samples = std::vector<std::int16_t>;

// A xorshift generator: the same numbers on every machine.
struct Draw {
  std::uint64_t state = 88172645463325252ULL;
  std::uint32_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<std::uint32_t>(state >> 32);
  }
};

// Filtered noise at one of many levels, with impulses of full scale and low zero bits here and there.
Samples some_sound(Draw* draw) {
  const std::size_t count = 1 + draw->next() % 3000;
  const unsigned level = draw->next() % 17;
  const int kept = static_cast<int>(draw->next() % 32);
  const unsigned zeros = draw->next() % 4 == 0 ? draw->next() % 16 : 0;
  Samples samples(count);
  int value = 0;
  for (std::int16_t& sample : samples) {
    const int noise = static_cast<int>(draw->next() & 0xFFFF) - 32768;
    value = value * kept / 32 + (noise >> (16 - level));
    value = value > 32767 ? 32767 : value < -32768 ? -32768 : value;
    const int shown = draw->next() % 500 == 0 ? noise : value;
    sample = static_cast<std::int16_t>(static_cast<unsigned>(shown) >> zeros << zeros);
  }
  return samples;
}

void same_bytes_without_vector_code() {
  Draw draw;
  for (int round = 0; round < 400; ++round) {
    const Samples samples = some_sound(&draw);
    CHECK(speechmill::encode_flac(samples.data(), samples.size(), 16000) ==
          speechmill::encode_flac(samples.data(), samples.size(), 16000, true));
  }
}

void header_states_length_and_rate() {
  const Samples samples(5000, 7);
  const std::vector<std::uint8_t> file = speechmill::encode_flac(samples.data(), samples.size(), 44100);
  CHECK(std::vector<std::uint8_t>(file.begin(), file.begin() + 8) ==
        (std::vector<std::uint8_t>{'f', 'L', 'a', 'C', 0x80, 0, 0, 34}));
  const std::size_t rate = static_cast<std::size_t>(file[18] << 12 | file[19] << 4 | file[20] >> 4);
  const std::size_t count = static_cast<std::size_t>(file[23] << 16 | file[24] << 8 | file[25]);
  CHECK(rate == 44100);
  CHECK(count == 5000);
  CHECK(file.size() < 150);  // constant blocks
}

void nonsense_is_refused() {
  const Samples samples(10, 1);
  CHECK_THROWS(std::invalid_argument, speechmill::encode_flac(samples.data(), 0, 16000));
  CHECK_THROWS(std::invalid_argument, speechmill::encode_flac(samples.data(), 10, 0));
  CHECK_THROWS(std::invalid_argument, speechmill::encode_flac(samples.data(), 10, -8000));
  CHECK_THROWS(std::invalid_argument, speechmill::encode_flac(samples.data(), 10, 655351));
}

}  // namespace

int main() {
  return speechmill::testing::run_tests({{"same_bytes_without_vector_code", same_bytes_without_vector_code},
                                         {"header_states_length_and_rate", header_states_length_and_rate},
                                         {"nonsense_is_refused", nonsense_is_refused}});
}
