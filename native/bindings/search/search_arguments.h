// What decode() and Stream take: arrays and settings of Python, checked and turned into the library's.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scorer/scorer.h"
#include "search/batch.h"
#include "search/settings.h"

namespace speechmill::bindings {

// The settings as Python gives them.
struct SearchArguments {
  std::int64_t beam_width = 0;
  pybind11::object mode;  // str or Pruning
  std::optional<float> alpha;
  std::optional<float> beta;
  pybind11::object hot_words;  // None or a mapping of phrase to boost
  bool open_vocabulary = false;
  float oov_penalty = 0.0F;
  float oov_letter_penalty = 0.0F;
};

// Throws DecodeError naming what does not fit.
SearchOptions to_options(const SearchArguments& arguments, const Alphabet& alphabet, const Scorer* scorer);

// The scorer at the call's own weights, where it names any; none for none.
std::optional<Scorer> weighted(const SearchArguments& arguments, const Scorer* scorer);

// A whole number within the range of the decoder's setting of that name, or a DecodeError that names it.
std::size_t whole_setting(std::int64_t value, const char* name);
// Its default.
template <class Number>
Number standard(const char* name) {
  return static_cast<Number>(decoder_setting(name).standard);
}
// At least 1, or a DecodeError that names it.
std::size_t positive(std::int64_t value, const char* name);

// The caller's array, without a copy: float32, C order, of so many dimensions (`shape` for the message).
const float* checked_floats(const pybind11::array& log_probs, int dimensions, const char* shape);

// `lengths` for an array [batch, frames, labels].
Batch to_batch(const pybind11::array& log_probs, const pybind11::object& lengths);

void register_pruning(pybind11::module_& module);
void register_stream(pybind11::module_& module);

}  // namespace speechmill::bindings
