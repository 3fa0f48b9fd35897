// Files come from the project's encoder and are damaged here; tests/native/test_flac.py decodes what libFLAC
// writes and what only an encoder by hand writes.
#include "flac/decoder.h"

#include <cstring>
#include <string>
#include <vector>

#include "check.h"
#include "flac/encoder.h"
#include "flac/subframe.h"

using namespace speechmill;

namespace {

constexpr std::uint64_t kMost = 1U << 30;

struct Random {
  std::uint32_t state;
  std::uint32_t next() { return (state = state * 1664525 + 1013904223) >> 8; }
};

std::vector<std::int16_t> wave(std::size_t count, std::uint32_t seed) {
  Random random{seed};
  std::vector<std::int16_t> samples;
  double value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = value * 0.97 + static_cast<double>(random.next() % 2001) - 1000.0;
    samples.push_back(static_cast<std::int16_t>(value));
  }
  return samples;
}

std::vector<std::uint8_t> file_of(const std::vector<std::int16_t>& samples) {
  return encode_flac(samples.data(), samples.size(), 16000);
}

FlacSound decoded(const std::vector<std::uint8_t>& file) {
  return decode_flac({file.data(), file.size()}, kMost);
}

bool holds(const FlacSound& sound, const std::vector<std::int16_t>& samples) {
  return sound.frames == samples.size() &&
         std::memcmp(sound.samples.get(), samples.data(), 2 * samples.size()) == 0;
}

void files_come_back() {
  for (const std::size_t count : {1U, 15U, 4096U, 40000U}) {
    const std::vector<std::int16_t> samples = wave(count, 1);
    CHECK(holds(decoded(file_of(samples)), samples));
  }
}

void several_files_are_as_each_alone() {
  std::vector<std::vector<std::uint8_t>> files;
  std::vector<FlacBytes> views;
  for (std::uint32_t i = 0; i < 11; ++i) files.push_back(file_of(wave(500 + 3001 * i, i)));
  files[4][30] ^= 1;
  files[5].resize(files[5].size() - 3);
  for (const auto& file : files) views.push_back({file.data(), file.size()});
  const std::vector<FlacOutcome> outcomes = decode_flac_many(views, kMost);
  for (std::uint32_t i = 0; i < 11; ++i) {
    const bool bad = i == 4 || i == 5;
    CHECK_EQUAL(outcomes[i].error.has_value(), bad);
    if (!bad) CHECK(holds(outcomes[i].sound, wave(500 + 3001 * i, i)));
  }
  CHECK(outcomes[4].error->fault == FlacFault::md5);
  CHECK(outcomes[5].error->fault == FlacFault::corrupt);
}

void every_cut_is_refused() {
  const std::vector<std::uint8_t> file = file_of(wave(9000, 2));
  for (std::size_t size = 0; size < file.size(); size += size < 100 ? 1 : 53) {
    const std::vector<std::uint8_t> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_THROWS(FlacError, decoded(cut), "cut");
  }
}

void every_flip_in_a_frame_is_refused() {
  std::vector<std::uint8_t> file = file_of(wave(9000, 3));
  const std::size_t first = read_flac_info(file.data(), file.size()).audio_at;
  Random random{4};
  for (int round = 0; round < 500; ++round) {
    const std::size_t place = first + random.next() % (file.size() - first);
    const auto bit = static_cast<std::uint8_t>(1U << random.next() % 8);
    file[place] ^= bit;
    CHECK_THROWS(FlacError, decoded(file), "FLAC frame", "byte");
    file[place] ^= bit;
  }
}

flac::Subframe predicted(std::size_t block, std::uint32_t seed) {
  Random random{seed};
  flac::Subframe subframe;
  subframe.block = block;
  subframe.bits = 16;
  subframe.wasted = static_cast<int>(seed % 3 == 0 ? 2 : 0);
  subframe.prediction = seed % 4 == 0 ? flac::Prediction::fixed : flac::Prediction::linear;
  subframe.order =
      static_cast<int>(subframe.prediction == flac::Prediction::fixed ? seed / 4 % 5 : 1 + seed % 14);
  subframe.precision = 12;
  subframe.shift = static_cast<int>(random.next() % 14);
  for (std::size_t i = 0; i < 32; ++i) {
    subframe.coefficients[i] = static_cast<std::int32_t>(random.next() % 4096) - 2048;
  }
  for (std::size_t i = 0; i < block; ++i) {
    subframe.samples.push_back(static_cast<std::int32_t>(random.next() % 65536) - 32768);
  }
  return subframe;
}

// Also for values that wrap.
void predictions_side_by_side_are_as_each_alone() {
  for (std::size_t count = 1; count <= flac::kMaxOrder / 4; ++count) {
    for (const std::size_t block : {64U, 100U, 1027U}) {
      std::vector<flac::Subframe> together;
      std::vector<flac::Subframe*> pointers;
      for (std::uint32_t i = 0; i < count; ++i) {
        together.push_back(
            predicted(block - (i % 5 == 4 ? 7 : 0), static_cast<std::uint32_t>(31 * count + block) + i));
      }
      std::vector<flac::Subframe> alone = together;
      for (flac::Subframe& subframe : together) pointers.push_back(&subframe);
      flac::restore(pointers);
      for (std::size_t i = 0; i < count; ++i) {
        flac::restore({&alone[i]});
        CHECK(alone[i].samples == together[i].samples);
      }
    }
  }
}

}  // namespace

int main() {
  return testing::run_tests(
      {{"files_come_back", files_come_back},
       {"several_files_are_as_each_alone", several_files_are_as_each_alone},
       {"every_cut_is_refused", every_cut_is_refused},
       {"every_flip_in_a_frame_is_refused", every_flip_in_a_frame_is_refused},
       {"predictions_side_by_side_are_as_each_alone", predictions_side_by_side_are_as_each_alone}});
}
