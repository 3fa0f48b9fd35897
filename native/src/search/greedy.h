// Best-path decoding: the best label of every frame, repeats merged, blanks dropped. No beam, no words.
#pragma once

#include <cstddef>

#include "scorer/alphabet.h"
#include "search/hypothesis.h"

namespace speechmill {

// log_probs: `frames` rows of alphabet.size() natural-log probabilities. Of equal labels the first is taken.
// Throws DecodeError naming frame and label of a value that is NaN or above 0.
Hypothesis greedy_decode(const Alphabet& alphabet, const float* log_probs, std::size_t frames);

// Throws DecodeError unless every value of the row is a natural-log probability (at most 0, -infinity
// allowed; rounding up to 0.001 is forgiven).
void check_frame(const float* row, std::size_t labels, std::size_t frame);

}  // namespace speechmill
