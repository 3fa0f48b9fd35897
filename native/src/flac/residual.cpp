#include "flac/residual.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#define SPEECHMILL_WIDE_LANES 1
#endif

namespace speechmill::flac {
namespace {

std::uint32_t fold(std::int32_t value) {
  return static_cast<std::uint32_t>(value) << 1 ^ static_cast<std::uint32_t>(value >> 31);
}

void fold_portable(const Predictor& predictor, const std::int16_t* samples, std::size_t count,
                   std::uint32_t* folded) {
  const auto order = static_cast<std::size_t>(predictor.order);
  for (std::size_t i = order; i < count; ++i) {
    std::int32_t sum = 0;
    for (std::size_t back = 0; back < order; ++back) {
      sum += std::int32_t{predictor.weights[back]} * samples[i - 1 - back];
    }
    folded[i] = fold(samples[i] - (sum >> predictor.shift));
  }
}

#ifdef SPEECHMILL_WIDE_LANES
#define SPEECHMILL_AVX2 __attribute__((target("avx2")))

SPEECHMILL_AVX2 inline __m256i load(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

SPEECHMILL_AVX2 inline __m256i fold_lanes(__m256i value) {
  return _mm256_xor_si256(_mm256_slli_epi32(value, 1), _mm256_srai_epi32(value, 31));
}

// A 32-bit lane holds two samples side by side: one multiplication serves two weights. Even samples and odd
// ones are guessed apart and laced together at the end.
template <int kPairs>
SPEECHMILL_AVX2 void fold_pairs(const Predictor& predictor, const std::int16_t* samples, std::size_t count,
                                std::uint32_t* folded) {
  __m256i weights[kPairs + 1];
  for (int pair = 0; pair < kPairs; ++pair) {
    const auto at = static_cast<std::size_t>(2 * pair);
    const std::uint32_t both = static_cast<std::uint32_t>(static_cast<std::uint16_t>(predictor.weights[at]))
                                   << 16 |
                               static_cast<std::uint16_t>(predictor.weights[at + 1]);
    weights[pair] = _mm256_set1_epi32(static_cast<std::int32_t>(both));
  }
  const __m128i shift = _mm_cvtsi32_si128(predictor.shift);
  for (std::size_t i = 0; i < count; i += 16) {
    const std::int16_t* here = samples + i;
    __m256i even = _mm256_setzero_si256();
    __m256i odd = _mm256_setzero_si256();
    for (int pair = 0; pair < kPairs; ++pair) {
      const std::int16_t* before = here - 2 * pair - 2;
      even = _mm256_add_epi32(even, _mm256_madd_epi16(load(before), weights[pair]));
      odd = _mm256_add_epi32(odd, _mm256_madd_epi16(load(before + 1), weights[pair]));
    }
    const __m256i both = load(here);
    const __m256i even_sample = _mm256_srai_epi32(_mm256_slli_epi32(both, 16), 16);
    const __m256i odd_sample = _mm256_srai_epi32(both, 16);
    even = fold_lanes(_mm256_sub_epi32(even_sample, _mm256_sra_epi32(even, shift)));
    odd = fold_lanes(_mm256_sub_epi32(odd_sample, _mm256_sra_epi32(odd, shift)));
    const __m256i low = _mm256_unpacklo_epi32(even, odd);
    const __m256i high = _mm256_unpackhi_epi32(even, odd);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(folded + i), _mm256_permute2x128_si256(low, high, 0x20));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(folded + i + 8),
                        _mm256_permute2x128_si256(low, high, 0x31));
  }
}

SPEECHMILL_AVX2 void fold_avx2(const Predictor& predictor, const std::int16_t* samples, std::size_t count,
                               std::uint32_t* folded) {
  switch ((predictor.order + 1) / 2) {
    case 0:
      return fold_pairs<0>(predictor, samples, count, folded);
    case 1:
      return fold_pairs<1>(predictor, samples, count, folded);
    case 2:
      return fold_pairs<2>(predictor, samples, count, folded);
    case 3:
      return fold_pairs<3>(predictor, samples, count, folded);
    default:
      return fold_pairs<4>(predictor, samples, count, folded);
  }
}

// Four codes laid together in each of the four quads, where all fit; `lengths` their bits.
struct Quads {
  __m256i codes;
  __m256i lengths;
};

SPEECHMILL_AVX2 inline Quads pairs_of(__m256i folded, __m128i k, __m256i ones, __m256i mask) {
  const __m256i length = _mm256_add_epi32(_mm256_srl_epi32(folded, k), ones);
  const __m256i code =
      _mm256_or_si256(_mm256_and_si256(folded, mask), _mm256_add_epi32(mask, _mm256_set1_epi32(1)));
  const __m256i odd_length = _mm256_srli_epi64(length, 32);
  const __m256i even_code = _mm256_blend_epi32(code, _mm256_setzero_si256(), 0xAA);
  const __m256i even_length = _mm256_blend_epi32(length, _mm256_setzero_si256(), 0xAA);
  return {_mm256_or_si256(_mm256_sllv_epi64(even_code, odd_length), _mm256_srli_epi64(code, 32)),
          _mm256_add_epi64(even_length, odd_length)};
}

SPEECHMILL_AVX2 inline Quads quads_of(const Quads& a, const Quads& b) {
  const __m256i late = _mm256_unpackhi_epi64(a.lengths, b.lengths);
  const __m256i codes = _mm256_or_si256(_mm256_sllv_epi64(_mm256_unpacklo_epi64(a.codes, b.codes), late),
                                        _mm256_unpackhi_epi64(a.codes, b.codes));
  const __m256i lengths = _mm256_add_epi64(_mm256_unpacklo_epi64(a.lengths, b.lengths), late);
  return {_mm256_permute4x64_epi64(codes, 0xD8), _mm256_permute4x64_epi64(lengths, 0xD8)};
}

SPEECHMILL_AVX2 inline bool fits(__m256i lengths) {
  return _mm256_testz_si256(_mm256_cmpgt_epi64(lengths, _mm256_set1_epi64x(56)), _mm256_set1_epi64x(-1)) != 0;
}

SPEECHMILL_AVX2 inline void append(const Quads& quads, BitWriter* writer) {
  alignas(32) std::uint64_t codes[4];
  alignas(32) std::uint64_t lengths[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(codes), quads.codes);
  _mm256_store_si256(reinterpret_cast<__m256i*>(lengths), quads.lengths);
  for (int i = 0; i < 4; ++i) writer->bits(codes[i], static_cast<unsigned>(lengths[i]));
}

// Writes whole groups of 16 codes; returns how many codes that were.
SPEECHMILL_AVX2 std::size_t write_groups(const std::uint32_t* folded, std::size_t count, unsigned k,
                                         BitWriter* writer) {
  BitWriter own = *writer;  // a local one stays in registers
  const __m128i shift = _mm_cvtsi32_si128(static_cast<int>(k));
  const __m256i ones = _mm256_set1_epi32(static_cast<int>(k) + 1);
  const __m256i mask = _mm256_set1_epi32((1 << k) - 1);
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const Quads a = pairs_of(load(folded + i), shift, ones, mask);
    const Quads b = pairs_of(load(folded + i + 8), shift, ones, mask);
    const Quads quads = quads_of(a, b);
    if (fits(quads.lengths)) {
      append(quads, &own);
    } else if (fits(a.lengths) && fits(b.lengths)) {
      append(a, &own);
      append(b, &own);
    } else {
      for (std::size_t j = i; j < i + 16; ++j) own.rice(folded[j], k);
    }
  }
  *writer = own;
  return i;
}
#endif

void write_codes(const std::uint32_t* folded, std::size_t count, unsigned k, bool wide, BitWriter* writer) {
  std::size_t done = 0;
#ifdef SPEECHMILL_WIDE_LANES
  if (wide) done = write_groups(folded, count, k, writer);
#else
  static_cast<void>(wide);
#endif
  for (; done < count; ++done) writer->rice(folded[done], k);
}

}  // namespace

bool has_wide_lanes() {
#ifdef SPEECHMILL_WIDE_LANES
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
#else
  return false;
#endif
}

void fold_residual(const Predictor& predictor, const std::int16_t* samples, std::size_t count,
                   std::uint32_t* folded, bool wide) {
#ifdef SPEECHMILL_WIDE_LANES
  if (wide) {
    fold_avx2(predictor, samples, count, folded);
  } else {
    fold_portable(predictor, samples, count, folded);
  }
#else
  static_cast<void>(wide);
  fold_portable(predictor, samples, count, folded);
#endif
  std::fill(folded, folded + predictor.order, 0U);
}

void write_residual(const RicePlan& plan, const Residual& residual, bool wide, BitWriter* writer) {
  writer->bits(plan.parameter_bits == 4 ? 0 : 1, 2);
  writer->bits(static_cast<std::uint64_t>(plan.partition_order), 4);
  const std::size_t length = residual.count >> plan.partition_order;
  auto from = static_cast<std::size_t>(residual.order);
  for (std::size_t at = 0; at < std::size_t{1} << plan.partition_order; ++at) {
    const unsigned k = plan.parameters[at];
    writer->bits(k, plan.parameter_bits);
    const std::size_t to = (at + 1) * length;
    write_codes(residual.folded + from, to - from, k, wide, writer);
    from = to;
  }
}

}  // namespace speechmill::flac
