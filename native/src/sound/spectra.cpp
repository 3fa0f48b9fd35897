#include "sound/spectra.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

#include "sound/sums.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define SPEECHMILL_WIDE_LANES 1
#endif

namespace speechmill::sound {
namespace {

#define SPEECHMILL_INLINE [[gnu::always_inline]] inline

constexpr double kPi = 3.14159265358979323846;

template <int kWidth>
struct Vector {
  typedef float Floats __attribute__((vector_size(4 * kWidth)));
};

// A complex number of kWidth frames.
template <int kWidth>
struct Complex {
  typename Vector<kWidth>::Floats real;
  typename Vector<kWidth>::Floats imaginary;
};

// Numbers lie in pairs: all frames' real parts, then all frames' imaginary parts.
template <int kWidth>
SPEECHMILL_INLINE void load(const FrameFloats* from, std::size_t lane, Complex<kWidth>* value) {
  std::memcpy(&value->real, from[0].of + lane, sizeof value->real);
  std::memcpy(&value->imaginary, from[1].of + lane, sizeof value->imaginary);
}

template <int kWidth>
SPEECHMILL_INLINE void store(const Complex<kWidth>& value, std::size_t lane, FrameFloats* to) {
  std::memcpy(to[0].of + lane, &value.real, sizeof value.real);
  std::memcpy(to[1].of + lane, &value.imaginary, sizeof value.imaginary);
}

template <int kWidth>
SPEECHMILL_INLINE void turn(Complex<kWidth>* value, float real, float imaginary) {
  const typename Vector<kWidth>::Floats before = value->real;
  value->real = before * real - value->imaginary * imaginary;
  value->imaginary = before * imaginary + value->imaginary * real;
}

// Four numbers to their transform of length four, in place.
template <int kWidth>
SPEECHMILL_INLINE void butterfly(Complex<kWidth>* a, Complex<kWidth>* b, Complex<kWidth>* c,
                                 Complex<kWidth>* d) {
  const Complex<kWidth> even{a->real + c->real, a->imaginary + c->imaginary};
  const Complex<kWidth> even_gap{a->real - c->real, a->imaginary - c->imaginary};
  const Complex<kWidth> odd{b->real + d->real, b->imaginary + d->imaginary};
  const Complex<kWidth> odd_gap{b->imaginary - d->imaginary, d->real - b->real};  // times -i
  *a = {even.real + odd.real, even.imaginary + odd.imaginary};
  *b = {even_gap.real + odd_gap.real, even_gap.imaginary + odd_gap.imaginary};
  *c = {even.real - odd.real, even.imaginary - odd.imaginary};
  *d = {even_gap.real - odd_gap.real, even_gap.imaginary - odd_gap.imaginary};
}

struct Means {
  float of[kFrames];
};

Means means_of(const FramePointers& frames, std::size_t width) {
  Means means{};
  for (std::size_t i = 0; i < kFrames; ++i) {
    const auto total = static_cast<double>(total_of(frames[i], width));
    means.of[i] = static_cast<float>(total / static_cast<double>(width));
  }
  return means;
}

void weigh(const FramePointers& frames, const std::vector<float>& window, const Means& means,
           FrameFloats* work) {
  for (std::size_t i = 0; i < window.size(); ++i) {
    for (std::size_t lane = 0; lane < kFrames; ++lane) {
      work[i].of[lane] = (static_cast<float>(frames[lane][i]) - means.of[lane]) * window[i];
    }
  }
}

#ifdef SPEECHMILL_WIDE_LANES
// The same, eight samples of eight frames at a time, turned over in registers.
__attribute__((target("avx2"))) void weigh_wide(const FramePointers& frames, const std::vector<float>& window,
                                                const Means& means, FrameFloats* work) {
  const __m256 mean = _mm256_loadu_ps(means.of);
  for (std::size_t i = 0; i < window.size(); i += 8) {
    __m128i rows[8];
    __m128i pairs[8];
    __m128i fours[8];
    for (std::size_t lane = 0; lane < kFrames; ++lane) {
      rows[lane] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(frames[lane] + i));
    }
    for (std::size_t j = 0; j < 4; ++j) {
      pairs[2 * j] = _mm_unpacklo_epi16(rows[2 * j], rows[2 * j + 1]);
      pairs[2 * j + 1] = _mm_unpackhi_epi16(rows[2 * j], rows[2 * j + 1]);
    }
    for (std::size_t j = 0; j < 2; ++j) {
      for (std::size_t half = 0; half < 2; ++half) {
        const __m128i low = pairs[4 * j + half];
        const __m128i high = pairs[4 * j + 2 + half];
        fours[4 * j + 2 * half] = _mm_unpacklo_epi32(low, high);
        fours[4 * j + 2 * half + 1] = _mm_unpackhi_epi32(low, high);
      }
    }
    for (std::size_t j = 0; j < 8; ++j) {
      const __m128i low = fours[j / 2];
      const __m128i high = fours[4 + j / 2];
      const __m128i all = j % 2 == 0 ? _mm_unpacklo_epi64(low, high) : _mm_unpackhi_epi64(low, high);
      const __m256 real = _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(all));
      const __m256 weight = _mm256_broadcast_ss(&window[i + j]);
      _mm256_store_ps(work[i + j].of, _mm256_mul_ps(_mm256_sub_ps(real, mean), weight));
    }
  }
}

const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;
#endif

// Where the passes leave frequency k of `length` numbers: quarters of quarters, and a pair at the end.
std::size_t place_of(std::size_t k, std::size_t length) {
  if (length == 1) return 0;
  const std::size_t parts = length >= 4 ? 4 : 2;
  return k % parts * (length / parts) + place_of(k / parts, length / parts);
}

}  // namespace

Spectra::Spectra(std::size_t width) : width_(width) {
  const std::size_t half = width / 2;
  const auto angle = [](std::size_t k, std::size_t of) {
    return 2.0 * kPi * static_cast<double>(k) / static_cast<double>(of);
  };
  for (std::size_t i = 0; i < width; ++i) {
    window_.push_back(static_cast<float>(0.25 - 0.25 * std::cos(angle(i, width - 1))));
  }
  for (std::size_t length = half; length >= 4; length /= 4) {
    for (std::size_t j = 0; j < length / 4; ++j) {
      Turn turn{};
      for (std::size_t power = 1; power <= 3; ++power) {
        turn.real[power - 1] = static_cast<float>(std::cos(angle(power * j, length)));
        turn.imaginary[power - 1] = static_cast<float>(-std::sin(angle(power * j, length)));
      }
      turns_.push_back(turn);
    }
  }
  for (std::size_t k = 0; k <= half; ++k) {
    place_.push_back(place_of(k % half, half));
    cosine_.push_back(static_cast<float>(std::cos(angle(k, width))));
    sine_.push_back(static_cast<float>(std::sin(angle(k, width))));
  }
}

const Spectra& Spectra::of_width(std::size_t width) {
  static std::mutex guard;
  static std::map<std::size_t, std::unique_ptr<const Spectra>> made;
  const std::lock_guard<std::mutex> lock(guard);
  std::unique_ptr<const Spectra>& entry = made[width];
  if (!entry) entry = std::make_unique<const Spectra>(width);
  return *entry;
}

template <int kWidth>
SPEECHMILL_INLINE void Spectra::transform(FrameFloats* work) const {
  const std::size_t half = width_ / 2;
  const Turn* turns = turns_.data();
  std::size_t length = half;
  for (; length >= 4; turns += length / 4, length /= 4) {
    const std::size_t quarter = length / 4;
    for (std::size_t j = 0; j < quarter; ++j) {
      const Turn& w = turns[j];
      for (std::size_t block = j; block < half; block += length) {
        for (std::size_t lane = 0; lane < kFrames; lane += kWidth) {
          FrameFloats* const at = work + 2 * block;
          Complex<kWidth> a, b, c, d;
          load(at, lane, &a);
          load(at + 2 * quarter, lane, &b);
          load(at + 4 * quarter, lane, &c);
          load(at + 6 * quarter, lane, &d);
          butterfly(&a, &b, &c, &d);
          if (j != 0) {
            turn(&b, w.real[0], w.imaginary[0]);
            turn(&c, w.real[1], w.imaginary[1]);
            turn(&d, w.real[2], w.imaginary[2]);
          }
          store(a, lane, at);
          store(b, lane, at + 2 * quarter);
          store(c, lane, at + 4 * quarter);
          store(d, lane, at + 6 * quarter);
        }
      }
    }
  }
  if (length != 2) return;
  for (std::size_t i = 0; i < half; i += 2) {
    for (std::size_t lane = 0; lane < kFrames; lane += kWidth) {
      Complex<kWidth> a, b;
      load(work + 2 * i, lane, &a);
      load(work + 2 * i + 2, lane, &b);
      const Complex<kWidth> sum{a.real + b.real, a.imaginary + b.imaginary};
      const Complex<kWidth> gap{a.real - b.real, a.imaginary - b.imaginary};
      store(sum, lane, work + 2 * i);
      store(gap, lane, work + 2 * i + 2);
    }
  }
}

// Bin k of the real frame and its mirror from numbers k and half - k of the complex transform.
template <int kWidth>
SPEECHMILL_INLINE void Spectra::powers(const FrameFloats* work, Bins asked, FrameFloats* power) const {
  using Floats = typename Vector<kWidth>::Floats;
  const std::size_t half = width_ / 2;
  const std::size_t mirrored = asked.to > half / 2 + 1 ? half + 1 - asked.to : half;
  const std::size_t first = std::min(asked.from, mirrored);
  const std::size_t last = std::min(asked.to - 1, half / 2);
  for (std::size_t k = first; k <= last; ++k) {
    for (std::size_t lane = 0; lane < kFrames; lane += kWidth) {
      Complex<kWidth> z, mirror;
      load(work + 2 * place_[k], lane, &z);
      load(work + 2 * place_[half - k], lane, &mirror);
      const Complex<kWidth> even{z.real + mirror.real, z.imaginary - mirror.imaginary};
      Complex<kWidth> odd{z.imaginary + mirror.imaginary, mirror.real - z.real};
      turn(&odd, cosine_[k], -sine_[k]);
      const Floats real = even.real + odd.real;
      const Floats imaginary = even.imaginary + odd.imaginary;
      const Floats other_real = even.real - odd.real;
      const Floats other_imaginary = even.imaginary - odd.imaginary;
      const Floats own = real * real + imaginary * imaginary;
      const Floats other = other_real * other_real + other_imaginary * other_imaginary;
      std::memcpy(power[k].of + lane, &own, sizeof own);
      std::memcpy(power[half - k].of + lane, &other, sizeof other);
    }
  }
}

#ifdef SPEECHMILL_WIDE_LANES
__attribute__((target("avx2"))) void Spectra::transform_wide(FrameFloats* work) const {
  transform<8>(work);
}

__attribute__((target("avx2"))) void Spectra::powers_wide(const FrameFloats* work, Bins asked,
                                                          FrameFloats* power) const {
  powers<8>(work, asked, power);
}
#endif

void Spectra::compute(const FramePointers& frames, Bins asked, std::vector<FrameFloats>* work,
                      std::vector<FrameFloats>* power, Lanes lanes) const {
  work->resize(width_);
  power->resize(bins());
  const Means means = means_of(frames, width_);
#ifdef SPEECHMILL_WIDE_LANES
  if (lanes == Lanes::fastest && kHasAvx2) {
    weigh_wide(frames, window_, means, work->data());
    transform_wide(work->data());
    powers_wide(work->data(), asked, power->data());
    return;
  }
#endif
  weigh(frames, window_, means, work->data());
  transform<4>(work->data());
  powers<4>(work->data(), asked, power->data());
}

}  // namespace speechmill::sound
