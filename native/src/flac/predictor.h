// Which linear predictor suits a block: weights that are whole numbers, chosen by what the residual will
// cost.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "flac/encoder.h"

namespace speechmill::flac {

inline constexpr int kMaxOrder = 8;
inline constexpr int kMaxFixedOrder = 4;
inline constexpr int kPrecision = 10;  // bits of a weight: their sums of 8 products stay below 2^30

// Sample n is guessed as (sum of weights[i] * sample[n - 1 - i]) >> shift.
struct Predictor {
  bool fixed = true;  // one of FLAC's own polynomials, whose weights the stream does not spell out
  int order = 0;
  int shift = 0;
  std::array<std::int16_t, kMaxOrder> weights{};

  // Bits it costs beside the residual: its first samples, its weights.
  int overhead_bits(int sample_bits) const;
};

// FLAC's polynomial of an order from 0 to kMaxFixedOrder.
Predictor fixed_predictor(int order);

// Finds predictors for blocks of at most kFlacBlock samples; keeps the window of the last length.
class PredictorSearch {
public:
  explicit PredictorSearch(bool wide);
  // The predictor whose residual is expected to be the cheapest. `sample_bits`: of one sample, 1 to 16.
  Predictor best(const std::int16_t* samples, std::size_t count, int sample_bits);

private:
  void set_window(std::size_t count);

  bool wide_;  // vector code of AVX2
  std::size_t window_length_ = 0;
  double window_energy_ = 0.0;
  std::vector<float> window_;
  std::vector<float> windowed_;  // with zeros before and behind
};

}  // namespace speechmill::flac
