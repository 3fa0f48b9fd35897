// Any bytes as samples: the vector code and the portable code must write the same FLAC file, no larger than
// the samples need as they are. The first byte picks how many low zero bits there are, and the rate.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "flac/encoder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace speechmill;
  if (size < 3) return 0;
  const unsigned zeros = data[0] & 15U;
  const std::int64_t rate_hz = 1 + std::int64_t{data[0] >> 4} * 43689;
  std::vector<std::int16_t> samples((size - 1) / 2);
  std::memcpy(samples.data(), data + 1, samples.size() * 2);
  for (std::int16_t& sample : samples) {
    sample = static_cast<std::int16_t>(static_cast<unsigned>(sample) << zeros);
  }
  const std::vector<std::uint8_t> file = encode_flac(samples.data(), samples.size(), rate_hz);
  if (file != encode_flac(samples.data(), samples.size(), rate_hz, true)) std::abort();
  const std::size_t frames = (samples.size() + kFlacBlock - 1) / kFlacBlock;
  if (file.size() > 42 + 2 * samples.size() + samples.size() / 16 + 24 * frames) std::abort();
  return 0;
}
