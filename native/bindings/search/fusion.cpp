// The search of native/pyctcdecode: labels, words and weights in, answers out.
#include "fusion/search.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "base/error.h"
#include "bindings.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

using Matrix = py::array_t<double, py::array::c_style | py::array::forcecast>;

// What does not change from utterance to utterance.
struct FusionDecoder {
  fusion::Labels labels;
  fusion::Words words;
};

FusionDecoder make_decoder(std::vector<std::string> labels, bool pieces,
                           const std::shared_ptr<LanguageModel>& model,
                           std::optional<std::vector<std::string>> known) {
  FusionDecoder made{{std::move(labels), pieces}, {model, std::nullopt}};
  if (known.has_value()) made.words.known.emplace(std::move(*known));
  return made;
}

py::tuple as_tuple(const fusion::Answer& answer, bool has_model) {
  py::object state = py::none();
  if (has_model) state = bytes_of(answer.state);
  return py::make_tuple(answer.words, answer.frames, answer.network, answer.total, state);
}

using WeightValues = std::tuple<double, double, double, bool>;
using CutValues = std::tuple<std::size_t, double, double, bool>;
using HotValues = std::pair<std::vector<std::string>, double>;

py::list decode(const FusionDecoder& decoder, const Matrix& log_probs, const CutValues& cut_values,
                const WeightValues& weight_values, const HotValues& hot_values,
                const std::optional<py::bytes>& start) {
  if (log_probs.ndim() != 2 || static_cast<std::size_t>(log_probs.shape(1)) != decoder.labels.names.size()) {
    throw DecodeError("log-probabilities must be [frames, " + std::to_string(decoder.labels.names.size()) +
                      "]");
  }
  const auto [width, beam_floor, label_floor, prune] = cut_values;
  const auto [alpha, beta, unknown, boundary] = weight_values;
  const fusion::Cuts cuts{width, beam_floor, label_floor, prune};
  const fusion::Weights weights{alpha, beta, unknown, boundary};
  const fusion::HotWords hot_words{fusion::Beginnings(hot_values.first), hot_values.second};
  LmState state{};
  if (start.has_value()) state = state_of(*start);
  std::vector<fusion::Answer> answers;
  {
    const py::gil_scoped_release unlocked;
    answers = fusion::decode(log_probs.data(), static_cast<std::size_t>(log_probs.shape(0)), decoder.labels,
                             decoder.words, weights, hot_words, cuts, start.has_value() ? &state : nullptr);
  }
  py::list found;
  for (const fusion::Answer& answer : answers) found.append(as_tuple(answer, decoder.words.model != nullptr));
  return found;
}

}  // namespace

void register_fusion(py::module_& module) {
  py::class_<FusionDecoder>(module, "FusionDecoder", "The search behind native.pyctcdecode; immutable.")
      .def(py::init(&make_decoder), py::arg("labels"), py::arg("pieces"), py::arg("model").none(true),
           py::arg("words"))
      .def("decode", &decode, py::arg("log_probs"), py::arg("cuts"), py::arg("weights"), py::arg("hot_words"),
           py::arg("start_state"),
           "(words, frames, network's score, whole score, state) of every beam left, the best first.");
}

}  // namespace speechmill::bindings
