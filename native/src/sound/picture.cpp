#include "sound/picture.h"

#include <algorithm>
#include <cmath>

namespace speechmill::sound {
namespace {

constexpr double kFrameS = 0.032;
constexpr std::size_t kBandwidthEvery = 4;  // frames
constexpr double kEnergyShare = 0.9999;
constexpr std::size_t kPrintFrames = 408;  // at least, of a sound that is long enough
constexpr std::size_t kOverlap = 4;        // frames of the fingerprint that hold the same sample
constexpr double kLowHz = 200.0;
constexpr double kHighHz = 3400.0;

std::size_t frame_width(int rate_hz) {
  const double bits = std::nearbyint(std::log2(rate_hz * kFrameS));
  return std::size_t{1} << static_cast<unsigned>(std::max(3.0, bits));
}

}  // namespace

Picture::Picture(const Sound& sound, Lanes lanes)
    : spectra_(Spectra::of_width(frame_width(sound.rate_hz))),
      rate_hz_(sound.rate_hz),
      edges_{},
      energy_(spectra_.bins(), FrameFloats{}) {
  const std::size_t width = spectra_.width();
  for (std::size_t i = 0; i <= kBands; ++i) {
    const double hz = kLowHz * std::pow(kHighHz / kLowHz, static_cast<double>(i) / kBands);
    const double bin = std::nearbyint(hz * static_cast<double>(width) / rate_hz_);
    edges_[i] = static_cast<std::size_t>(std::min(bin, static_cast<double>(width / 2)));
  }
  plan(sound);
  std::vector<std::int16_t> padded;  // a sound too short for the fingerprint, with zeros behind it
  const std::size_t needed = width + kSteps * (width / kOverlap);
  if (sound.count < needed) {
    padded.assign(needed, 0);
    std::copy_n(sound.samples, sound.count, padded.begin());
  }
  const std::int16_t* const samples = padded.empty() ? sound.samples : padded.data();
  for (std::size_t i = 0; i < looks_.size(); i += kFrames) look_at(samples, i, lanes);
}

void Picture::plan(const Sound& sound) {
  const std::size_t width = spectra_.width();
  const std::size_t hop = width / kOverlap;
  const std::size_t frames = std::max(kSteps + 1, sound.count < width ? 0 : (sound.count - width) / hop + 1);
  const std::size_t stride = std::max<std::size_t>(1, frames / kPrintFrames) * hop;
  const std::size_t printed = (frames * hop + stride - 1) / stride;
  const auto section_of = [&](std::size_t at) { return ((kSteps + 1) * (at / stride + 1) - 1) / printed; };
  const std::size_t whole = sound.count / width;
  const std::size_t gap = (whole >= 4 * kBandwidthEvery ? kBandwidthEvery : 1) * width;
  const std::size_t end = std::max<std::size_t>(1, whole) * width;
  for (std::size_t at = 0; at < end; at += gap) {
    const bool in_print = at % stride == 0 && at / stride < printed;
    looks_.push_back({at, in_print, in_print ? section_of(at) : 0});
  }
  wide_looks_ = looks_.size();
  for (std::size_t at = 0; at < printed * stride; at += stride) {
    if (at % gap != 0 || at >= end) looks_.push_back({at, true, section_of(at)});
  }
}

void Picture::look_at(const std::int16_t* samples, std::size_t first, Lanes lanes) {
  const std::size_t there = std::min(kFrames, looks_.size() - first);
  FramePointers<std::int16_t> frames;
  for (std::size_t i = 0; i < kFrames; ++i) {
    frames[i] = samples + looks_[first + std::min(i, there - 1)].at;
  }
  const std::size_t wide = first < wide_looks_ ? std::min(kFrames, wide_looks_ - first) : 0;
  const Bins asked = wide > 0 ? Bins{0, spectra_.bins()} : Bins{edges_[0], edges_[kBands] + 1};
  spectra_.compute(frames, asked, &work_, &power_, lanes);
  if (wide == kFrames) {
    for (std::size_t bin = 0; bin < energy_.size(); ++bin) {
      for (std::size_t i = 0; i < kFrames; ++i) energy_[bin].of[i] += power_[bin].of[i];
    }
  } else if (wide > 0) {
    for (std::size_t bin = 0; bin < energy_.size(); ++bin) {
      for (std::size_t i = 0; i < wide; ++i) energy_[bin].of[i] += power_[bin].of[i];
    }
  }
  add_to_print(first, there);
}

void Picture::add_to_print(std::size_t first, std::size_t there) {
  for (std::size_t band = 0; band < kBands; ++band) {
    FrameFloats sum = power_[edges_[band]];
    for (std::size_t bin = edges_[band] + 1; bin < edges_[band + 1]; ++bin) {
      for (std::size_t i = 0; i < kFrames; ++i) sum.of[i] += power_[bin].of[i];
    }
    for (std::size_t i = 0; i < there; ++i) {
      const Look& look = looks_[first + i];
      if (look.in_print) bands_[look.section][band] += static_cast<double>(sum.of[i]);
    }
  }
}

double Picture::bandwidth_hz() const {
  std::vector<double> below;  // energy up to and with each bin
  double total = 0;
  for (const FrameFloats& energy : energy_) {
    for (const float part : energy.of) total += static_cast<double>(part);
    below.push_back(total);
  }
  if (total <= 0) return 0.0;
  const auto bin = std::lower_bound(below.begin(), below.end(), kEnergyShare * total) - below.begin();
  return static_cast<double>(bin) * rate_hz_ / static_cast<double>(spectra_.width());
}

std::string Picture::fingerprint() const {
  static const char digits[] = "0123456789abcdef";
  std::string hex;
  unsigned bits = 0;
  std::size_t count = 0;
  for (std::size_t step = 0; step < kSteps; ++step) {
    const Bands& before = bands_[step];
    const Bands& after = bands_[step + 1];
    for (std::size_t band = 0; band + 1 < kBands; ++band) {
      // The logarithms of the quotients compared, without logarithms; the ones stand for silence.
      const double rise = (after[band] + 1.0) * (before[band + 1] + 1.0);
      const double fall = (before[band] + 1.0) * (after[band + 1] + 1.0);
      bits = bits << 1U | (rise > fall ? 1U : 0U);
      if (++count % 4 == 0) hex += digits[bits & 15U];
    }
  }
  return hex;
}

}  // namespace speechmill::sound
