// Power spectra of eight frames of 16-bit samples side by side.
//
// A frame's mean is taken off and the frame weighed by a symmetric Hann window. The spectra are equal on
// every machine, bit by bit.
#pragma once

#include <cstdint>
#include <vector>

#include "sound/fft.h"

namespace speechmill::sound {

class Spectra {
public:
  // Frames of `width` samples: a power of two, at least 8.
  explicit Spectra(std::size_t width);
  // One made for this width before, or now; it lives to the end of the program.
  static const Spectra& of_width(std::size_t width);

  std::size_t width() const { return window_.size(); }
  std::size_t bins() const { return fft_.bins(); }
  // Power of the asked bins, at (*power)[bin]; others are left or filled. `work` and `power` grow as needed.
  void compute(const FramePointers<std::int16_t>& frames, Bins asked, std::vector<FrameFloats>* work,
               std::vector<FrameFloats>* power, Lanes lanes) const;

private:
  const FrameFft<float>& fft_;
  std::vector<float> window_;  // halved, for the transform answers for frames twice as high
};

}  // namespace speechmill::sound
