// The figures of one utterance's sound, in one go: levels, clipping, silence, bandwidth, offset
// and a fingerprint of how it sounds.
//
// Sums are of integers wherever they can be; spectra are made of eight frames side by side, and every frame
// goes through the same operations in the same order whatever the processor is: the same samples have the
// same figures on every machine. What a figure means for an utterance is decided elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "sound/lanes.h"

namespace speechmill {

constexpr int kHighestSoundRateHz = 768'000;

struct SoundFigures {
  double snr_db;            // loud frames (95 % quantile) over quiet ones (10 %), 0 to 100
  double peak_dbfs;         // -120 to 0; -120 for digital silence
  double silence_ratio;     // share of frames below -60 dBFS or 35 dB below the loud ones
  double clipped_ratio;     // share of samples at full scale whose neighbour is there too
  double bandwidth_hz;      // 99.99 % of the energy lies below; 0 for silence
  double dc_offset;         // mean, -1 to 1
  std::string fingerprint;  // 32 hex digits
};

// The figures of mono samples. Throws std::invalid_argument where there are none, or the rate is not between
// 1 and kHighestSoundRateHz. Keeps no state: any number of threads may call it.
SoundFigures sound_figures(const std::int16_t* samples, std::size_t count, int sample_rate_hz,
                           Lanes lanes = Lanes::fastest);

// Sums of the squares of the two channels of `frames` interleaved pairs, exactly.
struct ChannelEnergies {
  std::int64_t first;
  std::int64_t second;
};
ChannelEnergies channel_energies(const std::int16_t* pairs, std::size_t frames);

}  // namespace speechmill
