// From restored channels to interleaved samples and to the bytes MD5 is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "flac/frame.h"
#include "flac/subframe.h"

namespace speechmill::flac {

// Undoes the stereo decorrelation in place (RFC 9639, 4.2). A wide side channel ends in `samples` as well.
void decorrelate(Stereo stereo, std::vector<Subframe>* channels);

// Writes `channels` interleaved and filled from the top bit: int16 up to 16 bits, else int32. False when a
// sample is outside the range of `bits`.
bool interleave(const std::vector<Subframe>& channels, int bits, void* out);

// The bytes of interleaved samples as MD5 counts them: as many as hold `bits`, the lowest first.
void pack(const void* samples, std::size_t count, int bits, std::vector<std::uint8_t>* bytes);

// Whether the bytes MD5 counts are those that interleave() writes.
bool packed_in_place(int bits);

}  // namespace speechmill::flac
