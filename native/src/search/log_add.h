// Sums of probabilities held as natural logarithms.
#pragma once

#include <cmath>
#include <limits>

namespace speechmill {

// ln 0.
constexpr float kImpossible = -std::numeric_limits<float>::infinity();

// ln(e^a + e^b). Below a difference of 17 the smaller one still changes a float.
inline float log_add(float a, float b) {
  const float high = a > b ? a : b;
  const float low = a > b ? b : a;
  const float difference = low - high;  // NaN when both are ln 0
  if (!(difference > -17.0F)) return high;
  return high + std::log1p(std::exp(difference));
}

// The same in double precision.
inline double log_add(double a, double b) {
  const double high = a > b ? a : b;
  const double low = a > b ? b : a;
  const double difference = low - high;
  if (!(difference > -40.0)) return high;
  return high + std::log1p(std::exp(difference));
}

}  // namespace speechmill
