#include "search/beam_lanes.h"

#include <cstdint>
#include <cstring>

#include "search/log_add.h"

#if defined(__x86_64__)
#define SPEECHMILL_WIDE_LANES 1
#endif

namespace speechmill::search {
namespace {

#define SPEECHMILL_INLINE [[gnu::always_inline]] inline

template <int kWidth>
struct Vector {
  typedef float Floats __attribute__((vector_size(4 * kWidth)));
  typedef std::int32_t Ints __attribute__((vector_size(4 * kWidth)));
};

template <class V>
SPEECHMILL_INLINE void load(V* value, const float* from) {
  std::memcpy(value, from, sizeof *value);
}

template <class V>
SPEECHMILL_INLINE void store(float* to, const V& value) {
  std::memcpy(to, &value, sizeof value);
}

// *sum = ln(e^a + e^b) for every lane. Below a difference of 17 the smaller one no longer changes a float.
template <int kWidth>
SPEECHMILL_INLINE void add_logs(const typename Vector<kWidth>::Floats& a,
                                const typename Vector<kWidth>::Floats& b,
                                typename Vector<kWidth>::Floats* sum) {
  using Floats = typename Vector<kWidth>::Floats;
  using Ints = typename Vector<kWidth>::Ints;
  const Floats high = a > b ? a : b;
  const Floats low = a > b ? b : a;
  const Floats gap = low - high;  // NaN where both are ln 0
  const Ints counts = gap > -17.0F;
  const Floats floor = Floats{} - 17.0F;
  const Floats x = counts ? gap : floor;
  // e^x = 2^n e^r, |r| <= ln 2 / 2, by its series to the sixth power
  const Ints n = __builtin_convertvector(x * 1.442695041F - 0.5F, Ints);
  const Floats whole = __builtin_convertvector(n, Floats);
  const Floats r = (x - whole * 0.693145752F) - whole * 1.42860677e-6F;
  Floats e = r * (1.0F / 720.0F) + (1.0F / 120.0F);
  e = e * r + (1.0F / 24.0F);
  e = e * r + (1.0F / 6.0F);
  e = e * r + 0.5F;
  e = e * r + 1.0F;
  e = e * r + 1.0F;
  const Ints exponent = (n + 127) << 23;
  Floats power;
  std::memcpy(&power, &exponent, sizeof power);
  e *= power;
  // ln(1 + e) = 2 artanh(e / (2 + e)), by its series to the eleventh power
  const Floats t = e / (e + 2.0F);
  const Floats t2 = t * t;
  Floats s = t2 * (2.0F / 11.0F) + (2.0F / 9.0F);
  s = s * t2 + (2.0F / 7.0F);
  s = s * t2 + (2.0F / 5.0F);
  s = s * t2 + (2.0F / 3.0F);
  s = s * t2 + 2.0F;
  const Floats both = high + s * t;
  *sum = counts ? both : high;
}

template <int kWidth>
SPEECHMILL_INLINE LaneResult advance_by(const LaneArrays& arrays) {
  using Floats = typename Vector<kWidth>::Floats;
  Floats best = Floats{} + kImpossible;
  Floats top = best;
  for (std::size_t i = 0; i < arrays.count; i += kWidth) {
    Floats own, arriving, before, words, non_blank, total;
    load(&own, arrays.own + i);
    load(&arriving, arrays.arriving + i);
    load(&before, arrays.total_before + i);
    load(&words, arrays.words + i);
    add_logs<kWidth>(own, arriving, &non_blank);
    const Floats blank = before + arrays.blank;
    add_logs<kWidth>(non_blank, blank, &total);
    const Floats score = total + words;
    store(arrays.non_blank + i, non_blank);
    store(arrays.blank_mass + i, blank);
    store(arrays.total + i, total);
    store(arrays.score + i, score);
    best = score > best ? score : best;
    top = total > top ? total : top;
  }
  LaneResult result{best[0], -kImpossible, top[0]};
  for (int lane = 1; lane < kWidth; ++lane) {
    if (best[lane] > result.best) result.best = best[lane];
    if (top[lane] > result.top_mass) result.top_mass = top[lane];
  }
  const std::size_t even = arrays.count / kWidth * kWidth;
  Floats worst = Floats{} - kImpossible;
  for (std::size_t i = 0; i < even; i += kWidth) {
    Floats score;
    load(&score, arrays.score + i);
    worst = score < worst ? score : worst;
  }
  for (int lane = 0; lane < kWidth; ++lane) {
    if (worst[lane] < result.worst) result.worst = worst[lane];
  }
  for (std::size_t i = even; i < arrays.count; ++i) {
    if (arrays.score[i] < result.worst) result.worst = arrays.score[i];
  }
  return result;
}

#ifdef SPEECHMILL_WIDE_LANES
__attribute__((target("avx2"))) LaneResult advance_avx2(const LaneArrays& arrays) {
  return advance_by<8>(arrays);
}

const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;
#endif

}  // namespace

LaneResult advance(const LaneArrays& arrays) {
#ifdef SPEECHMILL_WIDE_LANES
  if (kHasAvx2) return advance_avx2(arrays);
#endif
  return advance_by<4>(arrays);
}

float top_sum(const float* a, const float* b, std::size_t count) {
  float top = kImpossible;
  for (std::size_t i = 0; i < count; ++i) {
    const float sum = a[i] + b[i];
    top = sum > top ? sum : top;
  }
  return top;
}

}  // namespace speechmill::search
