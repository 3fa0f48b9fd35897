#include "sound/figures.h"

#include <array>
#include <cmath>
#include <vector>

#include "check.h"

using namespace speechmill;

namespace {

using Samples = std::vector<std::int16_t>;

SoundFigures figures_of(const Samples& samples, int rate_hz = 16000, Lanes lanes = Lanes::fastest) {
  return sound_figures(samples.data(), samples.size(), rate_hz, lanes);
}

Samples tone(std::size_t count, double hz, double peak, int rate_hz = 16000) {
  Samples samples(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double phase = 2.0 * std::acos(-1.0) * hz * static_cast<double>(i) / rate_hz;
    samples[i] = static_cast<std::int16_t>(std::lround(peak * std::sin(phase)));
  }
  return samples;
}

// Invented noise whose loudness changes: a linear congruential generator.
Samples noise(std::size_t count, std::uint32_t seed, int peak = 12000) {
  Samples samples(count);
  for (std::size_t i = 0; i < count; ++i) {
    seed = seed * 1664525U + 1013904223U;
    const int loud = peak / (1 + static_cast<int>(i / 1000 % 7));
    samples[i] = static_cast<std::int16_t>(static_cast<int>(seed >> 16) % (2 * loud) - loud);
  }
  return samples;
}

void knows_silence() {
  const SoundFigures silence = figures_of(Samples(16000, 0));
  CHECK_EQUAL(silence.peak_dbfs, -120.0);
  CHECK_EQUAL(silence.silence_ratio, 1.0);
  CHECK_EQUAL(silence.snr_db, 0.0);
  CHECK_EQUAL(silence.bandwidth_hz, 0.0);
  CHECK_EQUAL(silence.fingerprint, std::string(32, '0'));
  const SoundFigures offset = figures_of(Samples(16000, 512));
  CHECK_EQUAL(offset.dc_offset, 512.0 / 32768);
  CHECK_EQUAL(offset.bandwidth_hz, 0.0);  // a frame's mean is no sound
  CHECK_EQUAL(offset.fingerprint, std::string(32, '0'));
}

void measures_tones() {
  for (const int rate_hz : {8000, 11025, 16000, 48000}) {
    const SoundFigures heard =
        figures_of(tone(2 * static_cast<std::size_t>(rate_hz), 1000, 16384, rate_hz), rate_hz);
    CHECK_NEAR(heard.peak_dbfs, -6.02, 0.01);
    CHECK_NEAR(heard.bandwidth_hz, 1000, 3.0 * 48000 / 1024);  // the skirts of a frame's window
    CHECK_NEAR(heard.snr_db, 0, 0.5);
    CHECK_NEAR(heard.dc_offset, 0, 1e-3);
    CHECK_EQUAL(heard.silence_ratio, 0.0);
  }
  Samples half = tone(16000, 500, 8000);
  half.resize(32000, 0);
  CHECK_NEAR(figures_of(half).silence_ratio, 0.5, 0.01);
  CHECK_EQUAL(figures_of(half).snr_db, 100.0);
}

void counts_what_is_clipped() {
  Samples samples(1000, 32766);
  for (const std::size_t at : {10U, 11U, 12U, 50U, 90U, 91U}) samples[at] = 32767;
  CHECK_NEAR(figures_of(samples).clipped_ratio, 3.0 / 1000, 1e-12);
  samples[13] = -32768;
  CHECK_NEAR(figures_of(samples).clipped_ratio, 4.0 / 1000, 1e-12);
  CHECK_EQUAL(figures_of(Samples(700, -32768)).peak_dbfs, 0.0);
  CHECK_EQUAL(figures_of(Samples(700, -32768)).dc_offset, -1.0);
  CHECK_NEAR(figures_of(Samples(700, -32768)).clipped_ratio, 699.0 / 700, 1e-12);
}

void takes_any_length() {
  for (std::size_t count = 1; count < 700; ++count) {
    const SoundFigures heard = figures_of(noise(count, 5));
    CHECK(std::isfinite(heard.snr_db) && std::isfinite(heard.bandwidth_hz));
    CHECK_EQUAL(heard.fingerprint.size(), 32U);
  }
  for (const int rate_hz : {1, 50, 8000, kHighestSoundRateHz})
    CHECK(figures_of({1, -2, 3}, rate_hz).snr_db >= 0);
}

void is_equal_with_and_without_vectors() {
  for (const int rate_hz : {4000, 8000, 11025, 16000, 44100}) {
    for (const std::size_t count : {1U, 300U, 5000U, 40001U, 400000U}) {
      const Samples samples = noise(count, static_cast<std::uint32_t>(rate_hz) + 1U);
      const SoundFigures fast = figures_of(samples, rate_hz);
      const SoundFigures plain = figures_of(samples, rate_hz, Lanes::portable);
      CHECK_EQUAL(fast.fingerprint, plain.fingerprint);
      CHECK_EQUAL(fast.bandwidth_hz, plain.bandwidth_hz);
      CHECK_EQUAL(fast.snr_db, plain.snr_db);
    }
  }
}

// What a fingerprint is, is kept in stores: another answer here asks for another version in corpora.
void keeps_its_answers() {
  const SoundFigures heard = figures_of(noise(48000, 1));
  CHECK_EQUAL(heard.fingerprint, "7cd2af2b4c9366b7d12bd41ae36b94cc");
}

void sums_the_energies_of_both_channels() {
  Samples pairs;
  for (int i = 0; i < 1003; ++i) pairs.insert(pairs.end(), {static_cast<std::int16_t>(-32768), 3});
  const ChannelEnergies energies = channel_energies(pairs.data(), 1003);
  CHECK_EQUAL(energies.first, 1003LL << 30);
  CHECK_EQUAL(energies.second, 9 * 1003);
  CHECK_EQUAL(channel_energies(pairs.data(), 0).first, 0);
}

void refuses_what_it_cannot_measure() {
  CHECK_THROWS(std::invalid_argument, figures_of({}), "no samples");
  CHECK_THROWS(std::invalid_argument, figures_of({1}, 0), "rate of 0 Hz");
  CHECK_THROWS(std::invalid_argument, figures_of({1}, 1'000'000), "768000");
}

}  // namespace

int main() {
  return testing::run_tests({{"knows_silence", knows_silence},
                             {"measures_tones", measures_tones},
                             {"counts_what_is_clipped", counts_what_is_clipped},
                             {"takes_any_length", takes_any_length},
                             {"is_equal_with_and_without_vectors", is_equal_with_and_without_vectors},
                             {"keeps_its_answers", keeps_its_answers},
                             {"sums_the_energies_of_both_channels", sums_the_energies_of_both_channels},
                             {"refuses_what_it_cannot_measure", refuses_what_it_cannot_measure}});
}
