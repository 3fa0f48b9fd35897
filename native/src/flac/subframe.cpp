#include "flac/subframe.h"

#include <algorithm>

#include "flac/codes.h"

namespace speechmill::flac {
namespace {

int sample_count_bits(std::size_t value) {
  int bits = 0;
  while ((std::size_t{1} << bits) < value) ++bits;
  return bits;
}

// Warm-up samples, or every sample of a verbatim subframe.
void read_plain(Bits* bits, std::size_t count, Subframe* subframe) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t sample = bits->take_signed(subframe->bits);
    if (subframe->is_wide()) {
      subframe->wide[i] = sample;
    } else {
      subframe->samples[i] = static_cast<std::int32_t>(sample);
    }
  }
}

void read_constant(Bits* bits, Subframe* subframe) {
  const std::int64_t sample = bits->take_signed(subframe->bits);
  std::fill(subframe->samples.begin(), subframe->samples.end(), static_cast<std::int32_t>(sample));
  std::fill(subframe->wide.begin(), subframe->wide.end(), sample);
}

void read_linear_parameters(Bits* bits, Subframe* subframe) {
  const int precision = static_cast<int>(bits->take(4)) + 1;
  if (precision == 16) throw Forbidden{"the precision of its prediction is a reserved value"};
  subframe->precision = precision;
  subframe->shift = static_cast<int>(bits->take_signed(5));
  if (subframe->shift < 0) throw Forbidden{"the shift of its prediction is negative"};
  subframe->coefficients.fill(0);
  for (int i = 0; i < subframe->order; ++i) {
    subframe->coefficients[static_cast<std::size_t>(i)] =
        static_cast<std::int32_t>(bits->take_signed(precision));
  }
}

void read_predicted(Bits* bits, int type, Subframe* subframe) {
  subframe->prediction = type < 32 ? Prediction::fixed : Prediction::linear;
  subframe->order = type < 32 ? type - 8 : type - 31;
  const auto order = static_cast<std::size_t>(subframe->order);
  if (order > subframe->block) throw Forbidden{"its prediction needs more samples than its block has"};
  read_plain(bits, order, subframe);
  if (subframe->prediction == Prediction::linear) read_linear_parameters(bits, subframe);
  read_residuals(bits, subframe->block, order, subframe->samples.data());
  for (std::size_t i = order; i < subframe->wide.size(); ++i) subframe->wide[i] = subframe->samples[i];
}

}  // namespace

bool Subframe::is_narrow() const {
  return bits + precision + sample_count_bits(static_cast<std::size_t>(order)) <= 32;
}

void parse_subframe(Bits* bits, std::size_t block, int sample_bits, Subframe* subframe) {
  const std::uint64_t head = bits->take(8);
  if ((head & 0x80) != 0) throw Forbidden{"the first bit of a channel is 1"};
  const int type = static_cast<int>(head >> 1);
  const int wasted =
      (head & 1) != 0 ? static_cast<int>(std::min<std::uint64_t>(bits->take_unary(), 64)) + 1 : 0;
  if (wasted >= sample_bits) throw Forbidden{"a channel wastes all of its bits"};
  subframe->prediction = Prediction::none;
  subframe->order = 0;
  subframe->wasted = wasted;
  subframe->bits = sample_bits - wasted;
  subframe->block = block;
  subframe->samples.resize(block);
  subframe->wide.resize(sample_bits > 32 ? block : 0);
  if (type == 0) return read_constant(bits, subframe);
  if (type == 1) return read_plain(bits, block, subframe);
  if (type < 8 || (type > 12 && type < 32)) throw Forbidden{"the kind of a channel is a reserved value"};
  read_predicted(bits, type, subframe);
}

}  // namespace speechmill::flac
