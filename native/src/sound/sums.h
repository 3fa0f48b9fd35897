// Exact sums over 16-bit samples: energy, mean and extremes of a stretch.
#pragma once

#include <cstddef>
#include <cstdint>

namespace speechmill::sound {

struct Sums {
  std::int64_t energy = 0;  // sum of squares
  std::int64_t total = 0;
  std::int16_t lowest = 32767;
  std::int16_t highest = -32768;
};

// Adds `count` samples to `sums`.
void add_samples(const std::int16_t* samples, std::size_t count, Sums* sums);

std::int64_t total_of(const std::int16_t* samples, std::size_t count);

// How many samples at full scale follow another one.
std::size_t clipped_pairs(const std::int16_t* samples, std::size_t count);

}  // namespace speechmill::sound
