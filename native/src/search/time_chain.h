// When each label of a prefix was taken: chains of frames that share their beginnings.
//
// Every live prefix holds the end of one chain; a link knows its frame and the link before. Links are counted
// and freed when the last chain through them is gone, so memory is bounded by the beam and the length of the
// text. The frames along a chain rise strictly, because a label's link always goes on from its parent's chain
// as it was one frame earlier.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace speechmill {

class TimeChain {
public:
  static constexpr std::uint32_t kEmpty = UINT32_MAX;  // the chain of no labels

  void clear() {
    links_.clear();
    free_.clear();
  }
  int frame(std::uint32_t link) const { return links_[link].frame; }
  std::uint32_t before(std::uint32_t link) const { return links_[link].before; }

  // A chain one frame longer than `before`; the caller owns it and gives it back by drop().
  std::uint32_t extend(std::uint32_t before, int frame) {
    if (before != kEmpty) ++links_[before].owners;
    if (free_.empty()) {
      links_.push_back({before, frame, 1});
      return static_cast<std::uint32_t>(links_.size() - 1);
    }
    const std::uint32_t link = free_.back();
    free_.pop_back();
    links_[link] = {before, frame, 1};
    return link;
  }

  void drop(std::uint32_t link) {
    while (link != kEmpty && --links_[link].owners == 0) {
      free_.push_back(link);
      link = links_[link].before;
    }
  }

  // Cuts a chain down to its last `count` links and returns it. Chains that share the links share the cut.
  // `earliest` falls to the frame of the first link that is left.
  std::uint32_t keep_last(std::uint32_t link, std::size_t count, int* earliest) {
    if (count == 0) {
      drop(link);
      return kEmpty;
    }
    std::uint32_t first = link;
    for (; count > 1; --count) first = links_[first].before;
    const std::uint32_t rest = links_[first].before;
    *earliest = std::min(*earliest, links_[first].frame);
    links_[first].before = kEmpty;
    drop(rest);
    return link;
  }

  // Links in use, for tests of the memory bound.
  std::size_t used() const { return links_.size() - free_.size(); }

private:
  struct Link {
    std::uint32_t before;
    std::int32_t frame;
    std::uint32_t owners;
  };
  std::vector<Link> links_;
  std::vector<std::uint32_t> free_;
};

}  // namespace speechmill
