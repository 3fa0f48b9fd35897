// The front end: samples -> mel cepstra, the frames a network hears.
//
//   a frame of `window` samples every `hop` -> periodic Hann window, zeros up to a power of two -> magnitudes
//   -> triangular filters evenly spaced on the mel scale from low_hz to half the rate -> natural logarithm (+
//   1e-6)
//   -> DCT-II scaled by 1 / sqrt(2 filters) -> the first `coefficients`
//
// Eight frames side by side, the transform in double (in float a loud band would drown a quiet one), the rest
// in float. A frame's numbers depend on its samples alone, not on what lies round it nor on the processor:
// pieces and the whole, one thread and many give the same bits. What is not finite in the samples makes its
// own frames not finite. Not here: resampling, context, whitening.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sound/fft.h"

namespace speechmill {

struct FrontEndOptions {
  int sample_rate_hz = 16000;     // 1 to kHighestSoundRateHz
  std::size_t window = 512;       // samples, 4 to 65536
  std::size_t hop = 320;          // samples, from 1 on
  std::size_t filters = 40;       // 1 to 512
  double low_hz = 20.0;           // from 0 to less than half the rate
  std::size_t coefficients = 26;  // 1 to filters
  Lanes lanes = Lanes::fastest;
};

class FrontEnd {
public:
  // Throws std::invalid_argument, naming what is outside its range.
  explicit FrontEnd(const FrontEndOptions& options);

  const FrontEndOptions& options() const { return options_; }
  // Whole windows in so many samples.
  std::size_t frames(std::size_t samples) const;
  // Fills frames(count) x coefficients numbers. 16-bit samples mean 1/32768 each.
  void compute(const float* samples, std::size_t count, float* cepstra) const;
  void compute(const std::int16_t* samples, std::size_t count, float* cepstra) const;

private:
  struct Filter {
    std::size_t first;           // bin
    std::vector<float> weights;  // of the bins from there on
  };
  struct Room;  // what a call works in

  void make_filters();
  template <class Sample>
  void compute_any(const Sample* samples, std::size_t count, const std::vector<float>& window,
                   float* cepstra) const;
  template <int kWidth>
  void cepstra_of(Room* room) const;
  void cepstra_of_wide(Room* room) const;
  void cepstra_of_eight(Room* room) const;

  FrontEndOptions options_;
  const sound::FrameFft<double>& fft_;
  std::vector<float> window_;          // halved, for the transform answers for frames twice as high
  std::vector<float> integer_window_;  // the same for 16-bit samples
  std::vector<Filter> filters_;
  sound::Bins bins_{};          // that some filter weighs
  std::vector<float> cosines_;  // [coefficient][filter]
};

// The front end of a sound that comes in pieces: the same frames as of the whole.
class FrontEndStream {
public:
  explicit FrontEndStream(const FrontEnd& front_end) : front_end_(front_end) {}

  // Takes samples; returns the coefficients of the frames that they complete.
  std::vector<float> feed(const float* samples, std::size_t count);

private:
  const FrontEnd& front_end_;
  std::vector<float> waiting_;  // from the first sample of the next frame on
  std::size_t skip_ = 0;        // samples that no frame holds any more (hop > window)
};

}  // namespace speechmill
