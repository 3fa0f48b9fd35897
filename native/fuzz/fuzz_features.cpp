// Any samples through any front end: as many frames as promised, the same without vector code, in pieces, and
// as 16-bit numbers, and none beyond the samples. The first seven bytes choose the front end.
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "sound/features.h"

namespace {

using namespace speechmill;

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0);
}

std::vector<float> in_pieces(const FrontEnd& front_end, const std::vector<float>& samples,
                             std::size_t piece) {
  FrontEndStream stream(front_end);
  std::vector<float> found;
  for (std::size_t at = 0; at < samples.size(); at += piece) {
    const std::vector<float> some = stream.feed(samples.data() + at, std::min(piece, samples.size() - at));
    found.insert(found.end(), some.begin(), some.end());
  }
  return found;
}

void check(const FrontEndOptions& options, const std::vector<std::int16_t>& samples, std::size_t piece) {
  const FrontEnd front_end(options);
  FrontEndOptions plain_options = options;
  plain_options.lanes = Lanes::portable;
  const FrontEnd plain(plain_options);
  std::vector<float> floats;
  for (const std::int16_t sample : samples) floats.push_back(static_cast<float>(sample) / 32768);
  std::vector<float> found(front_end.frames(samples.size()) * options.coefficients);
  std::vector<float> other(found.size());
  front_end.compute(samples.data(), samples.size(), found.data());
  plain.compute(samples.data(), samples.size(), other.data());
  if (!same(found, other)) std::abort();
  plain.compute(floats.data(), floats.size(), other.data());
  if (!same(found, other)) std::abort();
  if (!same(found, in_pieces(front_end, floats, piece))) std::abort();
  for (const float number : found) {
    if (!(number - number == 0.0F)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 7) return 0;
  FrontEndOptions options;
  options.sample_rate_hz = data[0] % 2 == 0 ? 16000 : 1 + 256 * data[0];
  options.window = data[1] + 256U * (data[2] % 8U);
  options.hop = data[3] * 4U;
  options.filters = data[4];
  options.coefficients = data[5];
  options.low_hz = 10.0 * data[6];
  std::vector<std::int16_t> samples((size - 7) / 2);
  std::memcpy(samples.data(), data + 7, 2 * samples.size());
  if (options.filters * options.coefficients * samples.size() > 200'000'000) return 0;
  try {
    check(options, samples, 1 + data[3] * 7U);
  } catch (const std::invalid_argument&) {
  }
  return 0;
}
