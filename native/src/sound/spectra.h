// Power spectra of eight frames of 16-bit samples side by side.
//
// A frame's mean is taken off, the frame weighed by a Hann window and transformed as half as many complex
// numbers by a radix-4 FFT in float. Frames never meet, and each goes through the same operations in the same
// order with any width of registers: the spectra are equal on every machine, bit by bit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sound/figures.h"

namespace speechmill::sound {

constexpr std::size_t kFrames = 8;

using FramePointers = std::array<const std::int16_t*, kFrames>;

// Which bins are asked for: [from, to).
struct Bins {
  std::size_t from;
  std::size_t to;
};

// Numbers of all frames side by side, on the boundary that wide registers like.
struct alignas(4 * kFrames) FrameFloats {
  float of[kFrames];
};

class Spectra {
public:
  // Frames of `width` samples: a power of two, at least 8.
  explicit Spectra(std::size_t width);
  // One made for this width before, or now; it lives to the end of the program.
  static const Spectra& of_width(std::size_t width);

  std::size_t width() const { return width_; }
  std::size_t bins() const { return width_ / 2 + 1; }
  // Power of the asked bins, at (*power)[bin]; others are left or filled. `work` and `power` grow as needed.
  void compute(const FramePointers& frames, Bins asked, std::vector<FrameFloats>* work,
               std::vector<FrameFloats>* power, Lanes lanes) const;

private:
  struct Turn {  // w, w^2, w^3 of a butterfly
    float real[3];
    float imaginary[3];
  };
  template <int kWidth>
  void transform(FrameFloats* work) const;
  template <int kWidth>
  void powers(const FrameFloats* work, Bins asked, FrameFloats* power) const;
  void transform_wide(FrameFloats* work) const;
  void powers_wide(const FrameFloats* work, Bins asked, FrameFloats* power) const;

  std::size_t width_;
  std::vector<float> window_;       // halved, for the spectrum adds each number to its mirror's
  std::vector<Turn> turns_;         // pass by pass
  std::vector<std::size_t> place_;  // where the transform leaves a frequency
  std::vector<float> cosine_;       // of 2 pi k / width
  std::vector<float> sine_;
};

}  // namespace speechmill::sound
