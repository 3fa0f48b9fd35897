#include "sound/spectra.h"

#include <cmath>
#include <map>
#include <memory>
#include <mutex>

#include "sound/sums.h"
#include "sound/weigh.h"

namespace speechmill::sound {
namespace {

FrameFloats means_of(const FramePointers<std::int16_t>& frames, std::size_t width) {
  FrameFloats means{};
  for (std::size_t i = 0; i < kFrames; ++i) {
    const auto total = static_cast<double>(total_of(frames[i], width));
    means.of[i] = static_cast<float>(total / static_cast<double>(width));
  }
  return means;
}

}  // namespace

Spectra::Spectra(std::size_t width) : fft_(FrameFft<float>::of_width(width)) {
  for (std::size_t i = 0; i < width; ++i) {
    const double angle = 2.0 * kPi * static_cast<double>(i) / static_cast<double>(width - 1);
    window_.push_back(static_cast<float>(0.25 - 0.25 * std::cos(angle)));
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

void Spectra::compute(const FramePointers<std::int16_t>& frames, Bins asked, std::vector<FrameFloats>* work,
                      std::vector<FrameFloats>* power, Lanes lanes) const {
  work->resize(width());
  power->resize(bins());
  weigh(frames, window_, means_of(frames, width()), work->data(), lanes);
  fft_.powers(work->data(), asked, power->data(), lanes);
}

}  // namespace speechmill::sound
