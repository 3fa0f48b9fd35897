// Decoding many utterances at once over threads. The answer does not depend on the number of threads.
#pragma once

#include <cstddef>
#include <vector>

#include "search/beam_search.h"

namespace speechmill {

// Log-probabilities of a batch: row-major [utterances, frames, labels]; not owned.
struct Batch {
  const float* log_probs = nullptr;
  std::size_t utterances = 0;
  std::size_t frames = 0;            // of the longest, padding included
  std::size_t labels = 0;            // outputs, blank included
  std::vector<std::size_t> lengths;  // frames of each utterance; what follows is never read
};

// Beam search of every utterance: n_best hypotheses each, best first. `scorer` may be null. Throws
// DecodeError naming the utterance.
std::vector<std::vector<Hypothesis>> decode_batch(const Batch& batch, const Alphabet& alphabet,
                                                  const Scorer* scorer, const SearchOptions& options,
                                                  std::size_t n_best, std::size_t threads);

// Best-path decoding of every utterance.
std::vector<Hypothesis> greedy_batch(const Batch& batch, const Alphabet& alphabet);

}  // namespace speechmill
