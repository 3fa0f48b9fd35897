// 16-bit mono sound as FLAC (RFC 9639), inside its streamable subset wherever the rate has a place there.
//
// The same samples give the same bytes on every machine: what decides them are whole numbers, and floating
// point in a fixed order. Blocks of kFlacBlock samples, predictors of at most 8 weights, partitioned Rice
// codes; the header states length, frame sizes and the samples' MD5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace speechmill {

// Counts up whenever the bytes for the same samples change: it stands in the keys of caches.
inline constexpr int kFlacEncoderVersion = 1;
inline constexpr std::size_t kFlacBlock = 1024;  // longer ones make speech larger, shorter ones cost time
inline constexpr std::int64_t kFlacMaxRateHz = 655350;

// A whole FLAC file of `count` samples. Throws std::invalid_argument for no samples, 2^36 and more, and for a
// rate outside 1 to kFlacMaxRateHz. `portable`: leave out the vector code that this processor may have; the
// bytes are the same.
std::vector<std::uint8_t> encode_flac(const std::int16_t* samples, std::size_t count,
                                      std::int64_t sample_rate_hz, bool portable = false);

// Mono sound to be encoded; the samples are only looked at.
struct FlacInput {
  const std::int16_t* samples;
  std::size_t count;
  std::int64_t sample_rate_hz;
};

// A file for each, as `encode_flac` gives it; their MD5 are summed side by side, which halves the time of
// some eight.
std::vector<std::vector<std::uint8_t>> encode_flac_many(const std::vector<FlacInput>& sounds);

}  // namespace speechmill
