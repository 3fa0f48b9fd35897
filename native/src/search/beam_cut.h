// The score that a prefix must reach to stay among the best `width`: found by counting, not by sorting.
//
// Scores are counted in bins between the best that the frame can give and the worst that can stay. As soon as
// the bins above the last one hold `width` scores, the last bin is closed for good. What remains to be
// ordered at the end is one bin. Not here: who owns the scores.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "search/log_add.h"

namespace speechmill::search {

class BeamCut {
public:
  static constexpr std::size_t kBins = 256;  // bin 0 holds the best scores

  void set_width(std::size_t width) { width_ = width; }
  // A new frame: nothing at or below `floor` can stay; nothing is counted yet.
  void start(float floor) {
    bound_ = floor;
    counting_ = false;
  }
  // Counts from now on, scores expected between bound() and `top`.
  void count_from(float top) {
    counts_.fill(0);
    counted_ = 0;
    last_ = kBins - 1;
    top_ = top;
    const float span = std::min(top - bound_, kWidest);
    scale_ = span > 1e-3F ? static_cast<float>(kBins) / span : 1e3F;
    counting_ = true;
  }
  bool counting() const { return counting_; }
  float bound() const { return bound_; }
  void raise(float floor) { bound_ = std::max(bound_, floor); }

  std::size_t bin(float score) const {
    const float at = (top_ - score) * scale_;
    return static_cast<std::size_t>(std::min(std::max(at, 0.0F), static_cast<float>(kBins - 1)));
  }
  // Counts a score; false if it cannot stay.
  bool add(float score) {
    const std::size_t at = bin(score);
    if (at > last_) return false;
    ++counts_[at];
    ++counted_;
    if (counted_ - counts_[last_] >= width_) close();
    return true;
  }

  std::size_t last() const { return last_; }  // the bin that may have to be ordered
  // How many of the last bin may stay.
  std::size_t room() const { return width_ - (counted_ - counts_[last_]); }
  std::size_t in_last() const { return counts_[last_]; }

private:
  static constexpr float kWidest = 64.0F;  // nats

  void close() {
    while (counted_ - counts_[last_] >= width_) {
      counted_ -= counts_[last_];
      --last_;
    }
    // One bin's width of slack, so that rounding never refuses what bin() would let in.
    raise(top_ - (static_cast<float>(last_) + 1.0F) / scale_ - 1e-4F);
  }

  std::size_t width_ = 1;
  std::array<std::uint32_t, kBins> counts_{};
  std::size_t counted_ = 0;  // in the bins up to last_
  std::size_t last_ = 0;
  float top_ = 0.0F;
  float scale_ = 1.0F;
  float bound_ = kImpossible;
  bool counting_ = false;
};

}  // namespace speechmill::search
