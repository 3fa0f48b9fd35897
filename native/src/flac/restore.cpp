// Prediction: residuals become samples in place. Sums wrap instead of overflowing, so that damaged data are
// harmless; for whole data every result is exact.
#include <algorithm>
#include <type_traits>

#include "flac/lanes.h"
#include "flac/subframe.h"

namespace speechmill::flac {
namespace {

template <class Sample>
using Unsigned = std::make_unsigned_t<Sample>;

// The polynomial predictors: the order-th difference is the residual, so each order sums once more.
template <int kOrder, class Sample>
void restore_fixed(Sample* samples, std::size_t count) {
  using Sum = Unsigned<Sample>;
  Sum sums[kOrder];  // sums[d]: the d-th difference at the last sample
  for (int d = 0; d < kOrder; ++d) {
    Sum terms[kOrder];
    for (int i = 0; i <= d; ++i) terms[i] = static_cast<Sum>(samples[kOrder - 1 - i]);
    for (int round = 0; round < d; ++round) {
      for (int i = 0; i < d - round; ++i) terms[i] -= terms[i + 1];
    }
    sums[d] = terms[0];
  }
  for (std::size_t n = kOrder; n < count; ++n) {
    sums[kOrder - 1] += static_cast<Sum>(samples[n]);
    for (int d = kOrder - 2; d >= 0; --d) sums[d] += sums[d + 1];
    samples[n] = static_cast<Sample>(sums[0]);
  }
}

template <class Sample>
void restore_fixed(const Subframe& subframe, Sample* samples) {
  switch (subframe.order) {
    case 1:
      return restore_fixed<1>(samples, subframe.block);
    case 2:
      return restore_fixed<2>(samples, subframe.block);
    case 3:
      return restore_fixed<3>(samples, subframe.block);
    case 4:
      return restore_fixed<4>(samples, subframe.block);
    default:
      return;
  }
}

// Any order, with 64-bit sums: `Sample` is what is stored.
template <class Sample>
void restore_linear_wide(const Subframe& subframe, Sample* samples) {
  const auto order = static_cast<std::size_t>(subframe.order);
  for (std::size_t n = order; n < subframe.block; ++n) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < order; ++i) {
      sum += static_cast<std::uint64_t>(std::int64_t{subframe.coefficients[i]}) *
             static_cast<std::uint64_t>(std::int64_t{samples[n - 1 - i]});
    }
    const auto prediction = static_cast<Unsigned<Sample>>(static_cast<std::int64_t>(sum) >> subframe.shift);
    samples[n] = static_cast<Sample>(static_cast<Unsigned<Sample>>(samples[n]) + prediction);
  }
}

// 32-bit sums; the newest samples stay in registers and are added last, because the next step waits for them.
template <int kOrder>
void restore_linear_narrow(const Subframe& subframe, std::int32_t* samples) {
  std::uint32_t factors[kOrder];
  for (int i = 0; i < kOrder; ++i) {
    factors[i] = static_cast<std::uint32_t>(subframe.coefficients[static_cast<std::size_t>(i)]);
  }
  std::uint32_t newest[kOrder];
  for (int i = 0; i < kOrder; ++i) newest[i] = static_cast<std::uint32_t>(samples[kOrder - 1 - i]);
  const int shift = subframe.shift;
  for (std::size_t n = kOrder; n < subframe.block; ++n) {
    std::uint32_t sum = 0;
    for (int i = kOrder - 1; i >= 0; --i) sum += factors[i] * newest[i];
    for (int i = kOrder - 1; i > 0; --i) newest[i] = newest[i - 1];
    newest[0] = static_cast<std::uint32_t>(static_cast<std::int32_t>(sum) >> shift) +
                static_cast<std::uint32_t>(samples[n]);
    samples[n] = static_cast<std::int32_t>(newest[0]);
  }
}

template <int kOrder>
void restore_linear_of_order(const Subframe& subframe, std::int32_t* samples) {
  if (subframe.order == kOrder) return restore_linear_narrow<kOrder>(subframe, samples);
  if constexpr (kOrder < 12) {
    restore_linear_of_order<kOrder + 1>(subframe, samples);
  } else {
    restore_linear_wide(subframe, samples);
  }
}

template <class Sample>
void shift_up(const Subframe& subframe, Sample* samples) {
  if (subframe.wasted == 0) return;
  for (std::size_t i = 0; i < subframe.block; ++i) {
    samples[i] = static_cast<Sample>(static_cast<Unsigned<Sample>>(samples[i]) << subframe.wasted);
  }
}

void restore_alone(Subframe* subframe) {
  std::int32_t* const samples = subframe->samples.data();
  std::int64_t* const wide = subframe->wide.data();
  if (subframe->prediction == Prediction::fixed) {
    subframe->is_wide() ? restore_fixed(*subframe, wide) : restore_fixed(*subframe, samples);
  } else if (subframe->prediction == Prediction::linear) {
    if (subframe->is_wide()) {
      restore_linear_wide(*subframe, wide);
    } else if (subframe->is_narrow()) {
      restore_linear_of_order<1>(*subframe, samples);
    } else {
      restore_linear_wide(*subframe, samples);
    }
  }
}

// A fixed prediction as a linear one, without a shift.
void fixed_factors(int order, std::int32_t (&factors)[4]) {
  constexpr std::int32_t kFactors[5][4] = {
      {0, 0, 0, 0}, {1, 0, 0, 0}, {2, -1, 0, 0}, {3, -3, 1, 0}, {4, -6, 4, -1}};
  std::copy(kFactors[order], kFactors[order] + 4, factors);
}

bool fits_a_lane(const Subframe& subframe) {
  if (subframe.is_wide() || subframe.order > kMaxLaneOrder) return false;
  return subframe.prediction == Prediction::fixed ||
         (subframe.prediction == Prediction::linear && subframe.is_narrow());
}

void set_lane(const Subframe& subframe, std::size_t lane, LaneRows* lanes) {
  std::int32_t factors[4] = {};
  if (subframe.prediction == Prediction::fixed) fixed_factors(subframe.order, factors);
  const bool linear = subframe.prediction == Prediction::linear;
  for (std::size_t i = 0; i < static_cast<std::size_t>(subframe.order); ++i) {
    lanes->factors[i][lane] = linear ? subframe.coefficients[i] : factors[i];
  }
  lanes->shifts[lane] = linear ? subframe.shift : 0;
}

// Restores values [order, stop) or [start, stop) of a lane one by one.
void restore_part(const LaneRows& lanes, std::size_t lane, std::size_t order, std::size_t start,
                  std::size_t stop) {
  std::int32_t* const samples = lanes.rows[lane];
  for (std::size_t n = start; n < stop; ++n) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < order; ++i) {
      sum +=
          static_cast<std::uint32_t>(lanes.factors[i][lane]) * static_cast<std::uint32_t>(samples[n - 1 - i]);
    }
    const std::int32_t prediction = static_cast<std::int32_t>(sum) >> lanes.shifts[lane];
    samples[n] = static_cast<std::int32_t>(static_cast<std::uint32_t>(samples[n]) +
                                           static_cast<std::uint32_t>(prediction));
  }
}

// Subframes of one length and of orders that fit, at most as many as there are lanes.
void restore_together(const std::vector<Subframe*>& subframes, std::vector<std::int32_t>* spare) {
  const std::size_t block = subframes[0]->block;
  int order = 1;
  for (const Subframe* subframe : subframes) order = std::max(order, subframe->order);
  order = (order + 3) / 4 * 4;
  const auto start = static_cast<std::size_t>(order);
  const std::size_t stop = start + (block - start) / 8 * 8;
  LaneRows lanes;
  spare->assign(block, 0);
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    if (lane >= subframes.size()) {
      lanes.rows[lane] = spare->data();
      continue;
    }
    Subframe& subframe = *subframes[lane];
    lanes.rows[lane] = subframe.samples.data();
    set_lane(subframe, lane, &lanes);
    restore_part(lanes, lane, static_cast<std::size_t>(subframe.order),
                 static_cast<std::size_t>(subframe.order), start);
  }
  restore_lanes(lanes, order, start, stop);
  for (std::size_t lane = 0; lane < subframes.size(); ++lane) {
    restore_part(lanes, lane, static_cast<std::size_t>(subframes[lane]->order), stop, block);
  }
}

}  // namespace

void restore(const std::vector<Subframe*>& subframes) {
  constexpr std::size_t kFewest = 3;  // below it lanes cost more than they give
  constexpr std::size_t kShortest = 64;
  std::vector<Subframe*> together;
  std::size_t longest = 0;
  for (const Subframe* subframe : subframes) longest = std::max(longest, subframe->block);
  if (has_lanes() && longest >= kShortest) {
    for (Subframe* subframe : subframes) {
      if (subframe->block == longest && fits_a_lane(*subframe)) together.push_back(subframe);
    }
  }
  if (together.size() < kFewest || together.size() > kLanes) together.clear();
  std::vector<std::int32_t> spare;
  if (!together.empty()) restore_together(together, &spare);
  for (Subframe* subframe : subframes) {
    if (std::find(together.begin(), together.end(), subframe) == together.end()) restore_alone(subframe);
    subframe->is_wide() ? shift_up(*subframe, subframe->wide.data())
                        : shift_up(*subframe, subframe->samples.data());
  }
}

}  // namespace speechmill::flac
