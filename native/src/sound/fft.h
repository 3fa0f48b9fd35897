// The Fourier transform of eight real frames side by side: each as half as many complex numbers, by a radix-4
// FFT in float. Every frame goes through the same operations in the same order with any width of registers.
#pragma once

#include <vector>

#include "sound/vectors.h"

namespace speechmill::sound {

// Which bins are asked for: [from, to).
struct Bins {
  std::size_t from;
  std::size_t to;
};

template <class Real>
class FrameFft {
public:
  // Frames of `width` samples: a power of two, at least 4.
  explicit FrameFft(std::size_t width);
  // One made for this width before, or now; it lives to the end of the program.
  static const FrameFft& of_width(std::size_t width);

  std::size_t width() const { return width_; }
  std::size_t bins() const { return width_ / 2 + 1; }
  // Power of the asked bins of frames twice as high as those in `work` (`width` rows, overwritten), at
  // power[bin]; other bins are left or filled.
  void powers(FrameNumbers<Real>* work, Bins asked, FrameNumbers<Real>* power, Lanes lanes) const;

private:
  struct Turn {  // w, w^2, w^3 of a butterfly
    Real real[3];
    Real imaginary[3];
  };
  template <int kWidth>
  void transform(FrameNumbers<Real>* work) const;
  template <int kWidth>
  void sum_up(const FrameNumbers<Real>* work, Bins asked, FrameNumbers<Real>* power) const;
  void powers_wide(FrameNumbers<Real>* work, Bins asked, FrameNumbers<Real>* power) const;

  std::size_t width_;
  std::vector<Turn> turns_;         // pass by pass
  std::vector<std::size_t> place_;  // where the transform leaves a frequency
  std::vector<Real> cosine_;        // of 2 pi k / width
  std::vector<Real> sine_;
};

}  // namespace speechmill::sound
