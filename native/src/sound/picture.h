// What the spectra of a sound tell: how far up its energy goes, and a fingerprint of how it sounds.
//
// The bandwidth looks at every fourth frame of 32 ms, end to end. The fingerprint looks at up to 815 frames
// that begin a quarter of a frame apart or more, spread over the sound: in 17 sections it sums the energy of
// 9 bands from 200 to 3400 Hz; a bit says whether the balance of two neighbouring bands rises from a section
// to the next (the idea of Haitsma and Kalker, ISMIR 2002, stretched over the whole recording).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sound/spectra.h"

namespace speechmill::sound {

// Mono samples; at least one.
struct Sound {
  const std::int16_t* samples;
  std::size_t count;
  int rate_hz;
};

class Picture {
public:
  Picture(const Sound& sound, Lanes lanes);

  // 99.99 % of the energy lies below; 0 for silence.
  double bandwidth_hz() const;
  // 32 hex digits, from the first step and the lowest bands on.
  std::string fingerprint() const;

private:
  static constexpr std::size_t kSteps = 16;
  static constexpr std::size_t kBands = 9;
  using Bands = std::array<double, kBands>;

  // A frame that is looked at, and what for.
  struct Look {
    std::size_t at;  // its first sample
    bool in_print;
    std::size_t section;  // of the fingerprint
  };
  void plan(const Sound& sound);
  void look_at(const std::int16_t* samples, std::size_t first, Lanes lanes);
  void add_to_print(std::size_t first, std::size_t there);

  const Spectra& spectra_;
  int rate_hz_;
  std::array<std::size_t, kBands + 1> edges_;  // first bins of the bands, and the end of the last one
  std::vector<Look> looks_;                    // those of the bandwidth first
  std::size_t wide_looks_ = 0;                 // how many they are
  std::vector<FrameFloats> energy_;            // of every bin, by the frame's place among eight
  std::array<Bands, kSteps + 1> bands_{};      // energy of every section
  std::vector<FrameFloats> work_, power_;
};

}  // namespace speechmill::sound
