#include "sound/figures.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "sound/picture.h"
#include "sound/sums.h"

namespace speechmill {
namespace {

using namespace sound;

constexpr double kFloorDb = -120.0;
constexpr double kFrameS = 0.02;
constexpr double kSilentDb = -60.0;
constexpr double kBelowSpeechDb = 35.0;
constexpr double kFullPower = 32768.0 * 32768.0;

double decibel(double power) {
  return power > 0 ? std::max(kFloorDb, 10.0 * std::log10(power)) : kFloorDb;
}

// Energies of every 20 ms; at least one, of what there is.
struct Levels {
  std::size_t width;
  std::vector<std::int64_t> energies;
  Sums whole;
};

Levels levels_of(const Sound& sound) {
  Levels levels;
  levels.width = static_cast<std::size_t>(std::max(1.0, std::nearbyint(sound.rate_hz * kFrameS)));
  levels.width = std::min(levels.width, sound.count);
  const std::size_t frames = sound.count / levels.width;
  levels.energies.resize(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    const std::int64_t before = levels.whole.energy;
    add_samples(sound.samples + i * levels.width, levels.width, &levels.whole);
    levels.energies[i] = levels.whole.energy - before;
  }
  const std::size_t done = frames * levels.width;
  add_samples(sound.samples + done, sound.count - done, &levels.whole);
  return levels;
}

double level_db(std::int64_t energy, std::size_t width) {
  const double power = static_cast<double>(energy) / static_cast<double>(width) / kFullPower;
  return 10.0 * std::log10(std::max(power, 1e-12));
}

// The quantile of the frames' levels, in dB, between its two neighbours linearly. Reorders the energies.
double quantile_db(double share, Levels* levels) {
  std::vector<std::int64_t>& energies = levels->energies;
  const double place = share * static_cast<double>(energies.size() - 1);
  const auto below = static_cast<std::ptrdiff_t>(place);
  std::nth_element(energies.begin(), energies.begin() + below, energies.end());
  const double low = level_db(energies[static_cast<std::size_t>(below)], levels->width);
  if (below + 1 == static_cast<std::ptrdiff_t>(energies.size())) return low;
  const std::int64_t next = *std::min_element(energies.begin() + below + 1, energies.end());
  return low + (level_db(next, levels->width) - low) * (place - static_cast<double>(below));
}

void set_levels(const Sound& sound, SoundFigures* figures) {
  Levels levels = levels_of(sound);
  const auto count = static_cast<double>(sound.count);
  const double peak = std::max(int{levels.whole.highest}, -int{levels.whole.lowest});
  const double quiet_db = quantile_db(0.10, &levels);
  const double loud_db = quantile_db(0.95, &levels);
  const double silent_db = std::max(kSilentDb, loud_db - kBelowSpeechDb);
  const double silent = std::pow(10.0, silent_db / 10.0) * kFullPower * static_cast<double>(levels.width);
  const auto quiet = std::count_if(levels.energies.begin(), levels.energies.end(),
                                   [&](std::int64_t energy) { return static_cast<double>(energy) < silent; });
  figures->snr_db = std::clamp(loud_db - quiet_db, 0.0, 100.0);
  figures->peak_dbfs = decibel(peak * peak / kFullPower);
  figures->silence_ratio = static_cast<double>(quiet) / static_cast<double>(levels.energies.size());
  figures->dc_offset = static_cast<double>(levels.whole.total) / (count * 32768.0);
  const bool is_full = levels.whole.highest == 32767 || levels.whole.lowest == -32768;
  const std::size_t clipped = is_full ? clipped_pairs(sound.samples, sound.count) : 0;
  figures->clipped_ratio = static_cast<double>(clipped) / count;
}

}  // namespace

SoundFigures sound_figures(const std::int16_t* samples, std::size_t count, int sample_rate_hz, Lanes lanes) {
  if (count == 0) throw std::invalid_argument("no samples: there is nothing to measure");
  if (sample_rate_hz < 1 || sample_rate_hz > kHighestSoundRateHz) {
    throw std::invalid_argument("a sample rate of " + std::to_string(sample_rate_hz) +
                                " Hz; it is between 1 and " + std::to_string(kHighestSoundRateHz));
  }
  const Sound sound{samples, count, sample_rate_hz};
  SoundFigures figures{};
  set_levels(sound, &figures);
  const Picture picture(sound, lanes);
  figures.bandwidth_hz = picture.bandwidth_hz();
  figures.fingerprint = picture.fingerprint();
  return figures;
}

}  // namespace speechmill
