#include "sound/weigh.h"

namespace speechmill::sound {
namespace {

// From sample `first` on.
template <class Sample>
void weigh_one_by_one(const FramePointers<Sample>& frames, const std::vector<float>& window,
                      const FrameFloats& offsets, std::size_t first, FrameFloats* work) {
  for (std::size_t i = first; i < window.size(); ++i) {
    for (std::size_t lane = 0; lane < kFrames; ++lane) {
      work[i].of[lane] = (static_cast<float>(frames[lane][i]) - offsets.of[lane]) * window[i];
    }
  }
}

#ifdef SPEECHMILL_WIDE_LANES
// Eight samples of eight frames at a time, turned over in registers; what is left of the window is not done.
__attribute__((target("avx2"))) void weigh_wide(const FramePointers<std::int16_t>& frames,
                                                const std::vector<float>& window, const FrameFloats& offsets,
                                                FrameFloats* work) {
  const __m256 mean = _mm256_load_ps(offsets.of);
  for (std::size_t i = 0; i + 8 <= window.size(); i += 8) {
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

__attribute__((target("avx2"))) void weigh_wide(const FramePointers<float>& frames,
                                                const std::vector<float>& window, const FrameFloats& offsets,
                                                FrameFloats* work) {
  const __m256 offset = _mm256_load_ps(offsets.of);
  for (std::size_t i = 0; i + 8 <= window.size(); i += 8) {
    __m256 pairs[8];
    __m256 fours[8];
    for (std::size_t j = 0; j < 4; ++j) {
      const __m256 even = _mm256_loadu_ps(frames[2 * j] + i);
      const __m256 odd = _mm256_loadu_ps(frames[2 * j + 1] + i);
      pairs[2 * j] = _mm256_unpacklo_ps(even, odd);
      pairs[2 * j + 1] = _mm256_unpackhi_ps(even, odd);
    }
    for (std::size_t j = 0; j < 2; ++j) {
      for (std::size_t half = 0; half < 2; ++half) {
        const __m256 low = pairs[4 * j + half];
        const __m256 high = pairs[4 * j + 2 + half];
        fours[4 * j + 2 * half] = _mm256_shuffle_ps(low, high, 0x44);
        fours[4 * j + 2 * half + 1] = _mm256_shuffle_ps(low, high, 0xEE);
      }
    }
    for (std::size_t j = 0; j < 8; ++j) {
      const __m256 low = fours[j % 4];
      const __m256 high = fours[4 + j % 4];
      const __m256 all =
          j < 4 ? _mm256_permute2f128_ps(low, high, 0x20) : _mm256_permute2f128_ps(low, high, 0x31);
      const __m256 weight = _mm256_broadcast_ss(&window[i + j]);
      _mm256_store_ps(work[i + j].of, _mm256_mul_ps(_mm256_sub_ps(all, offset), weight));
    }
  }
}
#endif

template <class Sample>
void weigh_any(const FramePointers<Sample>& frames, const std::vector<float>& window,
               const FrameFloats& offsets, FrameFloats* work, Lanes lanes) {
  std::size_t done = 0;
#ifdef SPEECHMILL_WIDE_LANES
  if (goes_wide(lanes)) {
    weigh_wide(frames, window, offsets, work);
    done = window.size() / 8 * 8;
  }
#endif
  weigh_one_by_one(frames, window, offsets, done, work);
}

}  // namespace

void weigh(const FramePointers<std::int16_t>& frames, const std::vector<float>& window,
           const FrameFloats& offsets, FrameFloats* work, Lanes lanes) {
  weigh_any(frames, window, offsets, work, lanes);
}

void weigh(const FramePointers<float>& frames, const std::vector<float>& window, const FrameFloats& offsets,
           FrameFloats* work, Lanes lanes) {
  weigh_any(frames, window, offsets, work, lanes);
}

}  // namespace speechmill::sound
