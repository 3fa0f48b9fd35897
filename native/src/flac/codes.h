// The coded residuals of a subframe (RFC 9639, 9.2.7).
#pragma once

#include <cstddef>
#include <cstdint>

#include "flac/bits.h"

namespace speechmill::flac {

// Reads block - order residuals to residuals[order …]. Throws Forbidden, EndOfBits, ResidualTooLarge.
void read_residuals(Bits* bits, std::size_t block, std::size_t order, std::int32_t* residuals);

}  // namespace speechmill::flac
