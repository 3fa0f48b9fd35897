#include "sound/sums.h"

#include <algorithm>

#include "sound/figures.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace speechmill {
namespace sound {
namespace {

void add_one(std::int16_t sample, Sums* sums) {
  const std::int32_t value = sample;
  sums->energy += value * value;
  sums->total += value;
  sums->lowest = std::min(sums->lowest, sample);
  sums->highest = std::max(sums->highest, sample);
}

#if defined(__SSE2__)
constexpr std::size_t kAtOnce = 8;
// So many vectors are summed in 32 bits before they could overflow: 2 * 32768 * 16384 = 2^30.
constexpr std::size_t kVectors = 16384;

__m128i load(const std::int16_t* samples) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(samples));
}

// The four unsigned 32-bit numbers of `values`, added to two 64-bit sums.
__m128i add_wide(__m128i sums, __m128i values) {
  const __m128i zero = _mm_setzero_si128();
  return _mm_add_epi64(_mm_add_epi64(sums, _mm_unpacklo_epi32(values, zero)),
                       _mm_unpackhi_epi32(values, zero));
}

std::int64_t sum_of_wide(__m128i values) {
  alignas(16) std::int64_t parts[2];
  _mm_store_si128(reinterpret_cast<__m128i*>(parts), values);
  return parts[0] + parts[1];
}

std::int64_t sum_of_words(__m128i values) {
  alignas(16) std::int32_t parts[4];
  _mm_store_si128(reinterpret_cast<__m128i*>(parts), values);
  return std::int64_t{parts[0]} + parts[1] + parts[2] + parts[3];
}

void add_extremes(__m128i lowest, __m128i highest, Sums* sums) {
  alignas(16) std::int16_t low[kAtOnce];
  alignas(16) std::int16_t high[kAtOnce];
  _mm_store_si128(reinterpret_cast<__m128i*>(low), lowest);
  _mm_store_si128(reinterpret_cast<__m128i*>(high), highest);
  sums->lowest = std::min(sums->lowest, *std::min_element(low, low + kAtOnce));
  sums->highest = std::max(sums->highest, *std::max_element(high, high + kAtOnce));
}

// Whole vectors of a stretch of at most kVectors; answers how many samples they are.
std::size_t add_vectors(const std::int16_t* samples, std::size_t count, Sums* sums) {
  const std::size_t whole = std::min(count / kAtOnce, kVectors) * kAtOnce;
  const __m128i ones = _mm_set1_epi16(1);
  __m128i energy = _mm_setzero_si128();
  __m128i total = _mm_setzero_si128();
  __m128i lowest = _mm_set1_epi16(32767);
  __m128i highest = _mm_set1_epi16(-32768);
  for (std::size_t i = 0; i < whole; i += kAtOnce) {
    const __m128i values = load(samples + i);
    energy = add_wide(energy, _mm_madd_epi16(values, values));  // at most 2^31, so read as unsigned
    total = _mm_add_epi32(total, _mm_madd_epi16(values, ones));
    lowest = _mm_min_epi16(lowest, values);
    highest = _mm_max_epi16(highest, values);
  }
  sums->energy += sum_of_wide(energy);
  sums->total += sum_of_words(total);
  add_extremes(lowest, highest, sums);
  return whole;
}
#endif

bool is_full(std::int16_t sample) {
  return sample == 32767 || sample == -32768;
}

}  // namespace

void add_samples(const std::int16_t* samples, std::size_t count, Sums* sums) {
  std::size_t done = 0;
#if defined(__SSE2__)
  while (count - done >= kAtOnce) done += add_vectors(samples + done, count - done, sums);
#endif
  for (; done < count; ++done) add_one(samples[done], sums);
}

std::int64_t total_of(const std::int16_t* samples, std::size_t count) {
  std::int64_t total = 0;
  std::size_t done = 0;
#if defined(__SSE2__)
  const __m128i ones = _mm_set1_epi16(1);
  while (count - done >= kAtOnce) {
    const std::size_t end = done + std::min((count - done) / kAtOnce, kVectors) * kAtOnce;
    __m128i sums = _mm_setzero_si128();
    for (; done < end; done += kAtOnce)
      sums = _mm_add_epi32(sums, _mm_madd_epi16(load(samples + done), ones));
    total += sum_of_words(sums);
  }
#endif
  for (; done < count; ++done) total += samples[done];
  return total;
}

std::size_t clipped_pairs(const std::int16_t* samples, std::size_t count) {
  std::size_t pairs = 0;
  for (std::size_t i = 1; i < count; ++i) pairs += is_full(samples[i]) && is_full(samples[i - 1]) ? 1 : 0;
  return pairs;
}

}  // namespace sound

ChannelEnergies channel_energies(const std::int16_t* pairs, std::size_t frames) {
  ChannelEnergies sums{0, 0};
  std::size_t done = 0;
#if defined(__SSE2__)
  // The odd lanes hold the second channel: masked out, the squares of the first remain, and the other way.
  const __m128i first = _mm_set1_epi32(0xFFFF);
  __m128i own = _mm_setzero_si128();
  __m128i other = _mm_setzero_si128();
  for (; done + 4 <= frames; done += 4) {
    const __m128i values = sound::load(pairs + 2 * done);
    const __m128i one = _mm_and_si128(values, first);
    const __m128i two = _mm_andnot_si128(first, values);
    own = sound::add_wide(own, _mm_madd_epi16(one, one));
    other = sound::add_wide(other, _mm_madd_epi16(two, two));
  }
  sums = {sound::sum_of_wide(own), sound::sum_of_wide(other)};
#endif
  for (; done < frames; ++done) {
    sums.first += std::int32_t{pairs[2 * done]} * pairs[2 * done];
    sums.second += std::int32_t{pairs[2 * done + 1]} * pairs[2 * done + 1];
  }
  return sums;
}

}  // namespace speechmill
