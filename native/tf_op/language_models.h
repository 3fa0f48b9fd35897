// Language models of the TensorFlow op: loaded once per folder, shared by all kernels that ask for it.
#pragma once

#include <memory>
#include <string>

#include "scorer/scorer.h"

namespace speechmill {

// The scorer of a language model folder at the default weights. Kernels of one process that name the same
// files share one scorer; it is given back with the last of them, and a folder whose files were replaced is
// loaded anew. Thread-safe. Throws ScorerError.
std::shared_ptr<const Scorer> shared_scorer(const std::string& directory);

}  // namespace speechmill
