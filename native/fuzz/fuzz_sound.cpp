// Any samples at any rate: figures within their ranges, the same without vector code and with other memory
// around the samples. The first four bytes pick the rate.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "sound/figures.h"

namespace {

bool is_share(double value) {
  return value >= 0 && value <= 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace speechmill;
  if (size < 6) return 0;
  std::uint32_t picked = 0;
  std::memcpy(&picked, data, 4);
  static const int rates[] = {8000, 11025, 16000};
  const int rate_hz = picked % 4 < 3 ? rates[picked % 4] : static_cast<int>(picked / 4 % 96000) + 1;
  std::vector<std::int16_t> samples((size - 4) / 2);
  std::memcpy(samples.data(), data + 4, 2 * samples.size());
  const SoundFigures fast = sound_figures(samples.data(), samples.size(), rate_hz);
  const SoundFigures plain = sound_figures(samples.data(), samples.size(), rate_hz, Lanes::portable);
  if (fast.fingerprint != plain.fingerprint || fast.bandwidth_hz != plain.bandwidth_hz) std::abort();
  if (fast.snr_db != plain.snr_db) std::abort();
  if (!(fast.snr_db >= 0 && fast.snr_db <= 100) || !(fast.peak_dbfs >= -120 && fast.peak_dbfs <= 0))
    std::abort();
  if (!is_share(fast.silence_ratio) || !is_share(fast.clipped_ratio)) std::abort();
  if (!(fast.bandwidth_hz >= 0 && std::abs(fast.dc_offset) <= 1)) std::abort();
  if (fast.fingerprint.size() != 32) std::abort();
  const ChannelEnergies energies = channel_energies(samples.data(), samples.size() / 2);
  if (energies.first < 0 || energies.second < 0) std::abort();
  return 0;
}
