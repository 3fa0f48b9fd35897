#include "sound/features.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "sound/figures.h"
#include "sound/weigh.h"

namespace speechmill {

using namespace sound;

namespace {

constexpr float kLogFloor = 1e-6F;
constexpr std::size_t kLongestWindow = 65536;
constexpr std::size_t kMostFilters = 512;

template <class Number>
void check(const char* name, Number value, double lowest, double highest) {
  const auto number = static_cast<double>(value);
  if (number >= lowest && number <= highest) return;
  throw std::invalid_argument("a front end with " + std::string(name) + " = " + std::to_string(value) +
                              "; it is between " + std::to_string(lowest) + " and " +
                              std::to_string(highest));
}

double mel(double hz) {
  return 1127.0 * std::log1p(hz / 700.0);
}

// The power of two that holds a window.
std::size_t fft_width(std::size_t window) {
  std::size_t width = 4;
  while (width < window) width *= 2;
  return width;
}

const FrontEndOptions& checked(const FrontEndOptions& options) {
  check("sample_rate_hz", options.sample_rate_hz, 1, kHighestSoundRateHz);
  check("window", options.window, 4, kLongestWindow);
  check("hop", options.hop, 1, 1e9);
  check("filters", options.filters, 1, kMostFilters);
  check("coefficients", options.coefficients, 1, static_cast<double>(options.filters));
  check("low_hz", options.low_hz, 0, options.sample_rate_hz / 2.0);
  if (options.low_hz >= options.sample_rate_hz / 2.0) {
    throw std::invalid_argument("a front end with low_hz = " + std::to_string(options.low_hz) +
                                ", which is half its sample rate");
  }
  return options;
}

void widen(const std::vector<FrameFloats>& from, FrameDoubles* to) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    for (std::size_t lane = 0; lane < kFrames; ++lane) to[i].of[lane] = static_cast<double>(from[i].of[lane]);
  }
}

// IEEE 754 rounds square roots correctly, whatever computes them.
void take_roots(const FrameDoubles* powers, std::size_t count, FrameFloats* magnitudes) {
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t lane = 0; lane < kFrames; ++lane) {
      magnitudes[i].of[lane] = std::sqrt(static_cast<float>(powers[i].of[lane]));
    }
  }
}

#ifdef SPEECHMILL_WIDE_LANES
__attribute__((target("avx2"))) void take_roots_wide(const FrameDoubles* powers, std::size_t count,
                                                     FrameFloats* magnitudes) {
  for (std::size_t i = 0; i < count; ++i) {
    const __m128 low = _mm256_cvtpd_ps(_mm256_load_pd(powers[i].of));
    const __m128 high = _mm256_cvtpd_ps(_mm256_load_pd(powers[i].of + 4));
    _mm256_store_ps(magnitudes[i].of, _mm256_sqrt_ps(_mm256_set_m128(high, low)));
  }
}
#endif

// The natural logarithm of normal positive numbers, to about 1e-7; what is not finite stays. Of our own
// making, because those of libraries differ between machines: x = m 2^e with m around 1, then the series of
// the area tangent.
template <int kWidth>
SPEECHMILL_INLINE void take_logarithm(typename Vector<float, kWidth>::Numbers* value) {
  using Floats = typename Vector<float, kWidth>::Numbers;
  using Integers = typename Vector<std::int32_t, kWidth>::Numbers;
  constexpr std::int32_t kRootHalf = 0x3f3504f3;  // the bits of sqrt(1/2), the least m
  const Floats x = *value;
  Integers bits;
  std::memcpy(&bits, &x, sizeof bits);
  const Integers exponent = (bits - kRootHalf) >> 23;
  const Integers fraction = bits - (exponent << 23);
  Floats m;
  std::memcpy(&m, &fraction, sizeof m);
  const Floats f = m - 1.0F;
  const Floats s = f / (f + 2.0F);
  const Floats z = s * s;
  const Floats rest = z * (2.0F / 3 + z * (2.0F / 5 + z * (2.0F / 7 + z * (2.0F / 9))));
  const Floats e = __builtin_convertvector(exponent, Floats);
  const Floats answer = e * 0.693359375F + (f - (s * (f - rest) - e * -2.12194440e-4F));
  const Integers is_finite = (x - x) == 0.0F;
  Integers out;
  std::memcpy(&out, &answer, sizeof out);
  out = (out & is_finite) | (bits & ~is_finite);
  std::memcpy(value, &out, sizeof out);
}

}  // namespace

struct FrontEnd::Room {
  std::vector<FrameFloats> weighed;
  std::vector<FrameDoubles> work;
  std::vector<FrameDoubles> powers;
  std::vector<FrameFloats> spectrum;
  std::vector<FrameFloats> logs;     // of the filters
  std::vector<FrameFloats> cepstra;  // of eight frames
};

FrontEnd::FrontEnd(const FrontEndOptions& options)
    : options_(checked(options)), fft_(FrameFft<double>::of_width(fft_width(options.window))) {
  for (std::size_t i = 0; i < options.window; ++i) {
    const double angle = 2.0 * kPi * static_cast<double>(i) / static_cast<double>(options.window);
    window_.push_back(static_cast<float>(0.5 - 0.5 * std::cos(angle)) / 2);
    integer_window_.push_back(window_.back() / 32768);
  }
  const auto filters = static_cast<double>(options.filters);
  for (std::size_t k = 0; k < options.coefficients; ++k) {
    for (std::size_t i = 0; i < options.filters; ++i) {
      const double angle = kPi * static_cast<double>(k * (2 * i + 1)) / (2 * filters);
      cosines_.push_back(static_cast<float>(2 * std::cos(angle) / std::sqrt(2 * filters)));
    }
  }
  make_filters();
}

void FrontEnd::make_filters() {
  const double half_rate = options_.sample_rate_hz / 2.0;
  const double low = mel(options_.low_hz);
  const double step = (mel(half_rate) - low) / static_cast<double>(options_.filters + 1);
  const auto last = static_cast<double>(fft_.bins() - 1);
  bins_ = {fft_.bins() - 1, fft_.bins()};
  std::size_t end = 0;
  for (std::size_t i = 0; i < options_.filters; ++i) {
    const double lower = low + step * static_cast<double>(i);
    Filter filter{0, {}};
    for (std::size_t bin = 1; bin < fft_.bins(); ++bin) {  // the mean is no sound
      const double at = mel(half_rate * static_cast<double>(bin) / last);
      const auto weight = static_cast<float>(std::min((at - lower) / step, (lower + 2 * step - at) / step));
      if (!(weight > 0)) continue;
      if (filter.weights.empty()) filter.first = bin;
      filter.weights.push_back(weight);
    }
    if (!filter.weights.empty()) {
      bins_.from = std::min(bins_.from, filter.first);
      end = std::max(end, filter.first + filter.weights.size());
    }
    filters_.push_back(std::move(filter));
  }
  if (end > 0) bins_.to = end;
}

std::size_t FrontEnd::frames(std::size_t samples) const {
  return samples < options_.window ? 0 : 1 + (samples - options_.window) / options_.hop;
}

template <int kWidth>
SPEECHMILL_INLINE void FrontEnd::cepstra_of(Room* room) const {
  using Floats = typename Vector<float, kWidth>::Numbers;
  for (std::size_t lane = 0; lane < kFrames; lane += kWidth) {
    for (std::size_t i = 0; i < filters_.size(); ++i) {
      Floats sum{};
      for (std::size_t bin = 0; bin < filters_[i].weights.size(); ++bin) {
        Floats magnitude;
        load_lanes(room->spectrum[filters_[i].first + bin], lane, &magnitude);
        sum += magnitude * filters_[i].weights[bin];
      }
      sum += kLogFloor;
      take_logarithm<kWidth>(&sum);
      store_lanes(sum, lane, &room->logs[i]);
    }
    for (std::size_t k = 0; k < options_.coefficients; ++k) {
      const float* const cosines = cosines_.data() + k * filters_.size();
      Floats sum{};
      for (std::size_t i = 0; i < filters_.size(); ++i) {
        Floats log;
        load_lanes(room->logs[i], lane, &log);
        sum += log * cosines[i];
      }
      store_lanes(sum, lane, &room->cepstra[k]);
    }
  }
}

#ifdef SPEECHMILL_WIDE_LANES
__attribute__((target("avx2"))) void FrontEnd::cepstra_of_wide(Room* room) const {
  take_roots_wide(room->powers.data() + bins_.from, bins_.to - bins_.from,
                  room->spectrum.data() + bins_.from);
  cepstra_of<8>(room);
}
#endif

void FrontEnd::cepstra_of_eight(Room* room) const {
#ifdef SPEECHMILL_WIDE_LANES
  if (goes_wide(options_.lanes)) return cepstra_of_wide(room);
#endif
  take_roots(room->powers.data() + bins_.from, bins_.to - bins_.from, room->spectrum.data() + bins_.from);
  cepstra_of<4>(room);
}

template <class Sample>
void FrontEnd::compute_any(const Sample* samples, std::size_t count, const std::vector<float>& window,
                           float* cepstra) const {
  const std::size_t total = frames(count);
  if (total == 0) return;
  Room room;
  room.weighed.resize(window.size());
  room.work.resize(fft_.width());
  room.powers.resize(fft_.bins());
  room.spectrum.resize(fft_.bins());
  room.logs.resize(options_.filters);
  room.cepstra.resize(options_.coefficients);
  for (std::size_t first = 0; first < total; first += kFrames) {
    const std::size_t there = std::min(kFrames, total - first);
    FramePointers<Sample> pointers;
    for (std::size_t i = 0; i < kFrames; ++i) {
      pointers[i] = samples + (first + std::min(i, there - 1)) * options_.hop;
    }
    weigh(pointers, window, FrameFloats{}, room.weighed.data(), options_.lanes);
    widen(room.weighed, room.work.data());
    std::fill(room.work.begin() + static_cast<std::ptrdiff_t>(window.size()), room.work.end(),
              FrameDoubles{});
    fft_.powers(room.work.data(), bins_, room.powers.data(), options_.lanes);
    cepstra_of_eight(&room);
    for (std::size_t i = 0; i < there; ++i) {
      float* const row = cepstra + (first + i) * options_.coefficients;
      for (std::size_t k = 0; k < options_.coefficients; ++k) row[k] = room.cepstra[k].of[i];
    }
  }
}

void FrontEnd::compute(const float* samples, std::size_t count, float* cepstra) const {
  compute_any(samples, count, window_, cepstra);
}

void FrontEnd::compute(const std::int16_t* samples, std::size_t count, float* cepstra) const {
  compute_any(samples, count, integer_window_, cepstra);
}

std::vector<float> FrontEndStream::feed(const float* samples, std::size_t count) {
  const std::size_t skipped = std::min(skip_, count);
  skip_ -= skipped;
  waiting_.insert(waiting_.end(), samples + skipped, samples + count);
  const std::size_t frames = front_end_.frames(waiting_.size());
  std::vector<float> cepstra(frames * front_end_.options().coefficients);
  front_end_.compute(waiting_.data(), waiting_.size(), cepstra.data());
  const std::size_t over = frames * front_end_.options().hop;
  const std::size_t gone = std::min(over, waiting_.size());
  skip_ += over - gone;
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(gone));
  return cepstra;
}

}  // namespace speechmill
