#include "flac/output.h"

#include <cstring>

namespace speechmill::flac {
namespace {

std::uint32_t word(std::int32_t value) {
  return static_cast<std::uint32_t>(value);
}

// A side channel of 33 bits: mid/side needs its true half, the others only its low 32 bits.
void narrow_side(Stereo stereo, Subframe* side, const Subframe& other) {
  for (std::size_t i = 0; i < side->block; ++i) {
    const std::int64_t value = side->wide[i];
    std::int64_t narrow = value;
    if (stereo == Stereo::mid_side) {
      const std::int64_t left = std::int64_t{other.samples[i]} + ((value + (value & 1)) >> 1);
      narrow = left - value;  // the right channel
      side->wide[i] = left;
    }
    side->samples[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(narrow));
  }
}

void undo_mid_side(std::int32_t* mid, std::int32_t* side, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t doubled = word(mid[i]) << 1 | (word(side[i]) & 1);
    const std::uint32_t difference = word(side[i]);
    mid[i] = static_cast<std::int32_t>(doubled + difference) >> 1;
    side[i] = static_cast<std::int32_t>(doubled - difference) >> 1;
  }
}

template <class Out>
bool interleave_as(const std::vector<Subframe>& channels, int bits, Out* out) {
  const std::size_t width = channels.size();
  const std::size_t count = channels[0].block;
  const int up = static_cast<int>(8 * sizeof(Out)) - bits;
  const std::uint32_t half = std::uint32_t{1} << (bits - 1);
  std::uint32_t outside = 0;
  for (std::size_t channel = 0; channel < width; ++channel) {
    const std::int32_t* const samples = channels[channel].samples.data();
    Out* const target = out + channel;
    const auto write = [&](std::size_t step) {
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t sample = word(samples[i]);
        outside |= sample + half;
        target[i * step] = static_cast<Out>(sample << up);
      }
    };
    // The usual widths as constants, so that the loops become vector code.
    width == 1 ? write(1) : width == 2 ? write(2) : write(width);
  }
  return bits == 32 || outside >> bits == 0;
}

}  // namespace

void decorrelate(Stereo stereo, std::vector<Subframe>* channels) {
  if (stereo == Stereo::independent) return;
  Subframe& first = (*channels)[0];
  Subframe& second = (*channels)[1];
  const std::size_t count = first.block;
  const bool wide = first.is_wide() || second.is_wide();
  if (wide) {
    Subframe& side = first.is_wide() ? first : second;
    narrow_side(stereo, &side, first);
    if (stereo == Stereo::mid_side) {
      for (std::size_t i = 0; i < count; ++i) {
        first.samples[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(side.wide[i]));
      }
      return;
    }
  }
  std::int32_t* const a = first.samples.data();
  std::int32_t* const b = second.samples.data();
  if (stereo == Stereo::mid_side) return undo_mid_side(a, b, count);
  for (std::size_t i = 0; i < count; ++i) {
    if (stereo == Stereo::left_side) {
      b[i] = static_cast<std::int32_t>(word(a[i]) - word(b[i]));
    } else {
      a[i] = static_cast<std::int32_t>(word(a[i]) + word(b[i]));
    }
  }
}

bool interleave(const std::vector<Subframe>& channels, int bits, void* out) {
  if (bits <= 16) return interleave_as(channels, bits, static_cast<std::int16_t*>(out));
  return interleave_as(channels, bits, static_cast<std::int32_t*>(out));
}

bool packed_in_place(int bits) {
  return (bits == 16 || bits == 32) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
}

void pack(const void* samples, std::size_t count, int bits, std::vector<std::uint8_t>* bytes) {
  const std::size_t width = static_cast<std::size_t>(bits + 7) / 8;
  bytes->resize(width * count);
  std::uint8_t* out = bytes->data();
  for (std::size_t i = 0; i < count; ++i) {
    std::int32_t sample = 0;
    if (bits <= 16) {
      sample = static_cast<const std::int16_t*>(samples)[i] >> (16 - bits);
    } else {
      sample = static_cast<const std::int32_t*>(samples)[i] >> (32 - bits);
    }
    for (std::size_t k = 0; k < width; ++k) *out++ = static_cast<std::uint8_t>(sample >> (8 * k));
  }
}

}  // namespace speechmill::flac
