// The front end's promises; its numbers are compared with numpy's in tests/native/test_features.py.
#include "sound/features.h"

#include <cmath>
#include <limits>
#include <stdexcept>

#include "check.h"

namespace {

using namespace speechmill;

std::vector<float> noise(std::size_t count) {
  std::vector<float> samples;
  std::uint32_t state = 7;
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 1664525U + 1013904223U;
    samples.push_back(static_cast<float>(static_cast<std::int32_t>(state)) / 4e9F);
  }
  return samples;
}

std::vector<float> cepstra(const FrontEnd& front_end, const std::vector<float>& samples) {
  std::vector<float> found(front_end.frames(samples.size()) * front_end.options().coefficients);
  front_end.compute(samples.data(), samples.size(), found.data());
  return found;
}

void counts_whole_windows() {
  const FrontEnd front_end(FrontEndOptions{});
  CHECK_EQUAL(front_end.frames(511), 0U);
  CHECK_EQUAL(front_end.frames(512), 1U);
  CHECK_EQUAL(front_end.frames(831), 1U);
  CHECK_EQUAL(front_end.frames(832), 2U);
}

void knows_silence() {
  FrontEndOptions options;
  options.coefficients = 2;
  const std::vector<float> found = cepstra(FrontEnd(options), std::vector<float>(512));
  CHECK_NEAR(found[0], 40 * std::log(1e-6) * 2 / std::sqrt(80.0), 1e-4);
  CHECK_NEAR(found[1], 0.0, 1e-4);
}

void vector_code_pieces_and_neighbours_change_no_bit() {
  for (const std::size_t window : {4U, 13U, 200U, 256U, 400U, 512U}) {
    FrontEndOptions options;
    options.window = window;
    options.hop = window / 2 + 3;  // beyond the window for the least
    const std::vector<float> samples = noise(5000);
    const std::vector<float> whole = cepstra(FrontEnd(options), samples);
    options.lanes = Lanes::portable;
    const FrontEnd plain(options);
    CHECK(whole == cepstra(plain, samples));
    FrontEndStream stream(plain);
    std::vector<float> found;
    for (std::size_t at = 0; at < samples.size(); at += 77) {
      const std::vector<float> some =
          stream.feed(samples.data() + at, std::min<std::size_t>(77, samples.size() - at));
      found.insert(found.end(), some.begin(), some.end());
    }
    CHECK(whole == found);
  }
}

void what_is_not_finite_stays_in_its_frames() {
  std::vector<float> samples = noise(512 + 9 * 320);
  const std::vector<float> good = cepstra(FrontEnd(FrontEndOptions{}), samples);
  for (const float odd : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    samples[5 * 320 + 250] = odd;  // in frames 4 and 5
    const std::vector<float> found = cepstra(FrontEnd(FrontEndOptions{}), samples);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const std::size_t frame = i / 26;
      CHECK(frame == 5 || (frame == 4 && 320 + 250 < 512) ? !std::isfinite(found[i]) : found[i] == good[i]);
    }
  }
}

void options_outside_their_range_are_named() {
  FrontEndOptions options;
  options.window = 3;
  CHECK_THROWS(std::invalid_argument, FrontEnd{options}, "window = 3");
  options = {};
  options.hop = 0;
  CHECK_THROWS(std::invalid_argument, FrontEnd{options}, "hop = 0");
  options = {};
  options.coefficients = 41;
  CHECK_THROWS(std::invalid_argument, FrontEnd{options}, "coefficients = 41");
  options = {};
  options.low_hz = 8000;
  CHECK_THROWS(std::invalid_argument, FrontEnd{options}, "low_hz = 8000");
  options.low_hz = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS(std::invalid_argument, FrontEnd{options}, "low_hz");
}

}  // namespace

int main() {
  return testing::run_tests(
      {{"counts_whole_windows", counts_whole_windows},
       {"knows_silence", knows_silence},
       {"vector_code_pieces_and_neighbours_change_no_bit", vector_code_pieces_and_neighbours_change_no_bit},
       {"what_is_not_finite_stays_in_its_frames", what_is_not_finite_stays_in_its_frames},
       {"options_outside_their_range_are_named", options_outside_their_range_are_named}});
}
