#include "flac/predictor.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#if defined(__x86_64__)
#define SPEECHMILL_WIDE_LANES 1
#endif

namespace speechmill::flac {
namespace {

#define SPEECHMILL_INLINE [[gnu::always_inline]] inline

constexpr int kLanes = 8;
constexpr std::size_t kMargin = 8;  // zeros before the windowed samples, as many as the highest lag
constexpr std::size_t kShortestSearched = 64;
constexpr double kTaper = 0.25;  // share of a block over which the window rises, and falls again

using Lags = std::array<double, kMaxOrder + 1>;
typedef float Floats __attribute__((vector_size(4 * kLanes)));
typedef std::int16_t Shorts __attribute__((vector_size(2 * kLanes)));

// to[i] = samples[i] * window[i]; `count` rounded up to whole vectors.
SPEECHMILL_INLINE void apply_window(const std::int16_t* samples, const float* window, std::size_t count,
                                    float* to) {
  for (std::size_t i = 0; i < count; i += kLanes) {
    Shorts whole;
    Floats shape;
    std::memcpy(&whole, samples + i, sizeof whole);
    std::memcpy(&shape, window + i, sizeof shape);
    const Floats shaped = __builtin_convertvector(whole, Floats) * shape;
    std::memcpy(to + i, &shaped, sizeof shaped);
  }
}

// lags[l] = sum of values[i] * values[i - l]: eight sums side by side, added up in one order.
SPEECHMILL_INLINE void sum_lags(const float* values, std::size_t count, Lags* lags) {
  Floats sums[kMaxOrder + 1] = {};
  for (std::size_t i = 0; i < count; i += kLanes) {
    Floats here;
    std::memcpy(&here, values + i, sizeof here);
#pragma GCC unroll 9
    for (int lag = 0; lag <= kMaxOrder; ++lag) {
      Floats before;
      std::memcpy(&before, values + i - lag, sizeof before);
      sums[lag] += here * before;
    }
  }
  for (int lag = 0; lag <= kMaxOrder; ++lag) {
    double sum = 0.0;
    for (int lane = 0; lane < kLanes; ++lane) sum += static_cast<double>(sums[lag][lane]);
    (*lags)[static_cast<std::size_t>(lag)] = sum;
  }
}

SPEECHMILL_INLINE void window_and_lags(const std::int16_t* samples, const float* window, std::size_t count,
                                       float* windowed, Lags* lags) {
  apply_window(samples, window, count, windowed);
  sum_lags(windowed, count, lags);
}

void lags_portable(const std::int16_t* samples, const float* window, std::size_t count, float* windowed,
                   Lags* lags) {
  window_and_lags(samples, window, count, windowed, lags);
}

#ifdef SPEECHMILL_WIDE_LANES
__attribute__((target("avx2"))) void lags_avx2(const std::int16_t* samples, const float* window,
                                               std::size_t count, float* windowed, Lags* lags) {
  window_and_lags(samples, window, count, windowed, lags);
}
#endif

// log2 for x > 0 by ln((1 + t) / (1 - t)) = 2 (t + t^3 / 3 + ...): libraries differ in the last bit, this
// does not.
double log2_of(double x) {
  int exponent = 0;
  const double mantissa = std::frexp(x, &exponent);  // 0.5 to 1
  const double t = (mantissa - 0.70710678118654752) / (mantissa + 0.70710678118654752);
  const double t2 = t * t;
  const double series = t * (2.0 + t2 * (2.0 / 3.0 + t2 * (2.0 / 5.0 + t2 * (2.0 / 7.0))));
  return static_cast<double>(exponent) - 0.5 + series * 1.4426950408889634;
}

// Expected bits of a block's residual whose energy per sample is `energy`.
double residual_bits(double energy, double count) {
  const double squared = energy * 0.2402265069591007;  // (ln 2)^2 / 2: of two-sided geometric residuals
  const double bits = squared > 0.0 ? 0.5 * log2_of(squared) : 0.0;
  return count * (bits > 0.0 ? bits : 0.0);
}

// What FLAC's polynomials leave over of a signal with these lags: their squared differences, written out.
double left_over(int fixed_order, const Lags& lags) {
  static constexpr double kOfLag[kMaxFixedOrder + 1][kMaxFixedOrder + 1] = {
      {1, 0, 0, 0, 0}, {2, -2, 0, 0, 0}, {6, -8, 2, 0, 0}, {20, -30, 12, -2, 0}, {70, -112, 56, -16, 2}};
  double energy = 0.0;
  for (std::size_t lag = 0; lag <= static_cast<std::size_t>(fixed_order); ++lag) {
    energy += kOfLag[fixed_order][lag] * lags[lag];
  }
  return energy;
}

// The best real-valued weights of every order, by Levinson and Durbin's recursion.
struct Filters {
  int orders = 0;  // how many were found; fewer than kMaxOrder where the signal is wholly predictable
  std::array<std::array<double, kMaxOrder>, kMaxOrder> weights{};
  std::array<double, kMaxOrder> left{};
};

Filters levinson(const Lags& lags) {
  Filters found;
  std::array<double, kMaxOrder> a{};
  double left = lags[0];
  for (std::size_t order = 1; order <= kMaxOrder; ++order) {
    if (!(left > 0.0)) break;
    double reflection = lags[order];
    for (std::size_t j = 1; j < order; ++j) reflection -= a[j - 1] * lags[order - j];
    reflection /= left;
    const std::array<double, kMaxOrder> before = a;
    for (std::size_t j = 1; j < order; ++j) a[j - 1] = before[j - 1] - reflection * before[order - j - 1];
    a[order - 1] = reflection;
    left *= 1.0 - reflection * reflection;
    if (!(left > 0.0)) break;
    found.weights[order - 1] = a;
    found.left[order - 1] = left;
    found.orders = static_cast<int>(order);
  }
  return found;
}

// Weights as whole numbers of kPrecision bits; what rounding took goes into the next one. False where the
// weights are too large for that.
bool quantise(const std::array<double, kMaxOrder>& weights, int order, Predictor* predictor) {
  double largest = 0.0;
  for (int i = 0; i < order; ++i) {
    largest = std::max(largest, std::fabs(weights[static_cast<std::size_t>(i)]));
  }
  if (!(largest > 0.0)) return false;
  int exponent = 0;
  std::frexp(largest, &exponent);
  const int shift = std::min(kPrecision - 1 - exponent, 15);
  if (shift < 0) return false;
  const double top = (1 << (kPrecision - 1)) - 1;
  double error = 0.0;
  *predictor = {false, order, shift, {}};
  for (int i = 0; i < order; ++i) {
    error += weights[static_cast<std::size_t>(i)] * (1 << shift);
    const double rounded = std::clamp(std::floor(error + 0.5), -top - 1.0, top);
    error -= rounded;
    predictor->weights[static_cast<std::size_t>(i)] = static_cast<std::int16_t>(rounded);
  }
  return true;
}

Predictor best_of(const Lags& lags, double energy_scale, double count, int sample_bits) {
  Predictor best = fixed_predictor(0);
  double fewest = residual_bits(lags[0] * energy_scale, count);
  for (int order = 1; order <= kMaxFixedOrder; ++order) {
    const Predictor fixed = fixed_predictor(order);
    const double bits =
        residual_bits(left_over(order, lags) * energy_scale, count) + fixed.overhead_bits(sample_bits);
    if (bits < fewest) {
      fewest = bits;
      best = fixed;
    }
  }
  const Filters filters = levinson(lags);
  int order_found = 0;
  for (int order = 1; order <= filters.orders; ++order) {
    const double left = filters.left[static_cast<std::size_t>(order - 1)];
    Predictor linear;
    linear.fixed = false;
    linear.order = order;
    const double bits = residual_bits(left * energy_scale, count) + linear.overhead_bits(sample_bits);
    if (bits < fewest) {
      fewest = bits;
      order_found = order;
    }
  }
  Predictor linear;
  if (order_found > 0 &&
      quantise(filters.weights[static_cast<std::size_t>(order_found - 1)], order_found, &linear)) {
    return linear;
  }
  return best;
}

}  // namespace

int Predictor::overhead_bits(int sample_bits) const {
  return order * sample_bits + (fixed ? 0 : 4 + 5 + order * kPrecision);
}

Predictor fixed_predictor(int order) {
  static constexpr std::int16_t kWeights[kMaxFixedOrder + 1][kMaxFixedOrder] = {
      {0, 0, 0, 0}, {1, 0, 0, 0}, {2, -1, 0, 0}, {3, -3, 1, 0}, {4, -6, 4, -1}};
  Predictor predictor;
  predictor.order = order;
  std::copy(kWeights[order], kWeights[order] + kMaxFixedOrder, predictor.weights.begin());
  return predictor;
}

PredictorSearch::PredictorSearch(bool wide)
    : wide_(wide), window_(kFlacBlock + kMargin, 0.0F), windowed_(kMargin + kFlacBlock + kMargin, 0.0F) {}

// Flat in the middle, its flanks t^2 (3 - 2t): close to a cosine's, and the same everywhere.
void PredictorSearch::set_window(std::size_t count) {
  if (count == window_length_) return;
  window_length_ = count;
  std::fill(window_.begin(), window_.end(), 0.0F);
  std::fill(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(count), 1.0F);
  const auto flank = static_cast<std::size_t>(kTaper * static_cast<double>(count));
  for (std::size_t i = 0; i < flank; ++i) {
    const double t = (static_cast<double>(i) + 0.5) / static_cast<double>(flank);
    const auto height = static_cast<float>(t * t * (3.0 - 2.0 * t));
    window_[i] = height;
    window_[count - 1 - i] = height;
  }
  window_energy_ = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    window_energy_ += static_cast<double>(window_[i]) * static_cast<double>(window_[i]);
  }
}

Predictor PredictorSearch::best(const std::int16_t* samples, std::size_t count, int sample_bits) {
  if (count < kShortestSearched) return fixed_predictor(count > 2 * kMaxFixedOrder ? 1 : 0);
  set_window(count);
  Lags lags{};
  float* windowed = windowed_.data() + kMargin;
#ifdef SPEECHMILL_WIDE_LANES
  if (wide_) {
    lags_avx2(samples, window_.data(), count, windowed, &lags);
  } else {
    lags_portable(samples, window_.data(), count, windowed, &lags);
  }
#else
  lags_portable(samples, window_.data(), count, windowed, &lags);
#endif
  return best_of(lags, 1.0 / window_energy_, static_cast<double>(count), sample_bits);
}

}  // namespace speechmill::flac
