#include "sound/fft.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>

namespace speechmill::sound {
namespace {

// A complex number of kWidth frames.
template <class Real, int kWidth>
struct Complex {
  typename Vector<Real, kWidth>::Numbers real;
  typename Vector<Real, kWidth>::Numbers imaginary;
};

// Numbers lie in pairs: all frames' real parts, then all frames' imaginary parts.
template <class Real, int kWidth>
SPEECHMILL_INLINE void load(const FrameNumbers<Real>* from, std::size_t lane, Complex<Real, kWidth>* value) {
  load_lanes(from[0], lane, &value->real);
  load_lanes(from[1], lane, &value->imaginary);
}

template <class Real, int kWidth>
SPEECHMILL_INLINE void store(const Complex<Real, kWidth>& value, std::size_t lane, FrameNumbers<Real>* to) {
  store_lanes(value.real, lane, &to[0]);
  store_lanes(value.imaginary, lane, &to[1]);
}

template <class Real, int kWidth>
SPEECHMILL_INLINE void turn(Complex<Real, kWidth>* value, Real real, Real imaginary) {
  const typename Vector<Real, kWidth>::Numbers before = value->real;
  value->real = before * real - value->imaginary * imaginary;
  value->imaginary = before * imaginary + value->imaginary * real;
}

// Four numbers to their transform of length four, in place.
template <class Number>
SPEECHMILL_INLINE void butterfly(Number* a, Number* b, Number* c, Number* d) {
  const Number even{a->real + c->real, a->imaginary + c->imaginary};
  const Number even_gap{a->real - c->real, a->imaginary - c->imaginary};
  const Number odd{b->real + d->real, b->imaginary + d->imaginary};
  const Number odd_gap{b->imaginary - d->imaginary, d->real - b->real};  // times -i
  *a = {even.real + odd.real, even.imaginary + odd.imaginary};
  *b = {even_gap.real + odd_gap.real, even_gap.imaginary + odd_gap.imaginary};
  *c = {even.real - odd.real, even.imaginary - odd.imaginary};
  *d = {even_gap.real - odd_gap.real, even_gap.imaginary - odd_gap.imaginary};
}

// Where the passes leave frequency k of `length` numbers: quarters of quarters, and a pair at the end.
std::size_t place_of(std::size_t k, std::size_t length) {
  if (length == 1) return 0;
  const std::size_t parts = length >= 4 ? 4 : 2;
  return k % parts * (length / parts) + place_of(k / parts, length / parts);
}

}  // namespace

template <class Real>
FrameFft<Real>::FrameFft(std::size_t width) : width_(width) {
  const std::size_t half = width / 2;
  const auto angle = [](std::size_t k, std::size_t of) {
    return 2.0 * kPi * static_cast<double>(k) / static_cast<double>(of);
  };
  for (std::size_t length = half; length >= 4; length /= 4) {
    for (std::size_t j = 0; j < length / 4; ++j) {
      Turn turn{};
      for (std::size_t power = 1; power <= 3; ++power) {
        turn.real[power - 1] = static_cast<Real>(std::cos(angle(power * j, length)));
        turn.imaginary[power - 1] = static_cast<Real>(-std::sin(angle(power * j, length)));
      }
      turns_.push_back(turn);
    }
  }
  for (std::size_t k = 0; k <= half; ++k) {
    place_.push_back(place_of(k % half, half));
    cosine_.push_back(static_cast<Real>(std::cos(angle(k, width))));
    sine_.push_back(static_cast<Real>(std::sin(angle(k, width))));
  }
}

template <class Real>
const FrameFft<Real>& FrameFft<Real>::of_width(std::size_t width) {
  static std::mutex guard;
  static std::map<std::size_t, std::unique_ptr<const FrameFft<Real>>> made;
  const std::lock_guard<std::mutex> lock(guard);
  std::unique_ptr<const FrameFft<Real>>& entry = made[width];
  if (!entry) entry = std::make_unique<const FrameFft<Real>>(width);
  return *entry;
}

template <class Real>
template <int kWidth>
SPEECHMILL_INLINE void FrameFft<Real>::transform(FrameNumbers<Real>* work) const {
  const std::size_t half = width_ / 2;
  const Turn* turns = turns_.data();
  std::size_t length = half;
  for (; length >= 4; turns += length / 4, length /= 4) {
    const std::size_t quarter = length / 4;
    for (std::size_t j = 0; j < quarter; ++j) {
      const Turn& w = turns[j];
      for (std::size_t block = j; block < half; block += length) {
        for (std::size_t lane = 0; lane < kFrames; lane += kWidth) {
          FrameNumbers<Real>* const at = work + 2 * block;
          Complex<Real, kWidth> a, b, c, d;
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
      Complex<Real, kWidth> a, b;
      load(work + 2 * i, lane, &a);
      load(work + 2 * i + 2, lane, &b);
      const Complex<Real, kWidth> sum{a.real + b.real, a.imaginary + b.imaginary};
      const Complex<Real, kWidth> gap{a.real - b.real, a.imaginary - b.imaginary};
      store(sum, lane, work + 2 * i);
      store(gap, lane, work + 2 * i + 2);
    }
  }
}

// Bin k of the real frame and its mirror from numbers k and half - k of the complex transform.
template <class Real>
template <int kWidth>
SPEECHMILL_INLINE void FrameFft<Real>::sum_up(const FrameNumbers<Real>* work, Bins asked,
                                              FrameNumbers<Real>* power) const {
  using Numbers = typename Vector<Real, kWidth>::Numbers;
  const std::size_t half = width_ / 2;
  const std::size_t mirrored = asked.to > half / 2 + 1 ? half + 1 - asked.to : half;
  const std::size_t first = std::min(asked.from, mirrored);
  const std::size_t last = std::min(asked.to - 1, half / 2);
  for (std::size_t k = first; k <= last; ++k) {
    for (std::size_t lane = 0; lane < kFrames; lane += kWidth) {
      Complex<Real, kWidth> z, mirror;
      load(work + 2 * place_[k], lane, &z);
      load(work + 2 * place_[half - k], lane, &mirror);
      const Complex<Real, kWidth> even{z.real + mirror.real, z.imaginary - mirror.imaginary};
      Complex<Real, kWidth> odd{z.imaginary + mirror.imaginary, mirror.real - z.real};
      turn(&odd, cosine_[k], -sine_[k]);
      const Numbers real = even.real + odd.real;
      const Numbers imaginary = even.imaginary + odd.imaginary;
      const Numbers other_real = even.real - odd.real;
      const Numbers other_imaginary = even.imaginary - odd.imaginary;
      const Numbers own = real * real + imaginary * imaginary;
      const Numbers other = other_real * other_real + other_imaginary * other_imaginary;
      store_lanes(own, lane, &power[k]);
      store_lanes(other, lane, &power[half - k]);
    }
  }
}

#ifdef SPEECHMILL_WIDE_LANES
template <class Real>
__attribute__((target("avx2"))) void FrameFft<Real>::powers_wide(FrameNumbers<Real>* work, Bins asked,
                                                                 FrameNumbers<Real>* power) const {
  transform<32 / sizeof(Real)>(work);
  sum_up<32 / sizeof(Real)>(work, asked, power);
}
#endif

template <class Real>
void FrameFft<Real>::powers(FrameNumbers<Real>* work, Bins asked, FrameNumbers<Real>* power,
                            Lanes lanes) const {
#ifdef SPEECHMILL_WIDE_LANES
  if (goes_wide(lanes)) {
    powers_wide(work, asked, power);
    return;
  }
#endif
  transform<16 / sizeof(Real)>(work);
  sum_up<16 / sizeof(Real)>(work, asked, power);
}

template class FrameFft<float>;
template class FrameFft<double>;

}  // namespace speechmill::sound
