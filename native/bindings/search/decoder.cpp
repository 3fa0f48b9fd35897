#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <thread>

#include "base/error.h"
#include "bindings.h"
#include "search/batch.h"
#include "search_arguments.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

std::vector<std::vector<Hypothesis>> decode(const Batch& batch, const Alphabet& alphabet,
                                            const Scorer* scorer, const SearchArguments& arguments,
                                            std::size_t n_best, std::optional<std::int64_t> threads) {
  const SearchOptions options = to_options(arguments, alphabet, scorer);
  const std::optional<Scorer> own = weighted(arguments, scorer);
  // counted once: the count is read from a file of the system
  static const auto cores = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  const std::size_t workers = positive(threads.value_or(cores), "threads");
  const py::gil_scoped_release unlocked;
  return decode_batch(batch, alphabet, own ? &*own : nullptr, options, n_best, workers);
}

std::vector<Hypothesis> greedy(const py::array& log_probs, const py::object& lengths,
                               const Alphabet& alphabet) {
  const Batch batch = to_batch(log_probs, lengths);
  const py::gil_scoped_release unlocked;
  return greedy_batch(batch, alphabet);
}

void register_hypothesis(py::module_& module) {
  py::class_<WordTime>(module, "WordTime", "A word and its frames.")
      .def_readonly("word", &WordTime::word)
      .def_readonly("start_frame", &WordTime::start_frame, "Frame of the word's first label.")
      .def_readonly("end_frame", &WordTime::end_frame, "One past the frame of its last label.")
      .def_readonly(
          "confidence", &WordTime::confidence,
          "Share of the beam's probability whose texts begin with the same words up to this one, or have it "
          "at\na time that overlaps; 0 to 1. Greedy: the probability of its least probable label.")
      .def("__repr__", [](const WordTime& self) {
        return "WordTime(" + self.word + ", " + std::to_string(self.start_frame) + ", " +
               std::to_string(self.end_frame) + ")";
      });
  py::class_<Hypothesis>(module, "Hypothesis", "One answer of a decoder. Scores are natural logarithms.")
      .def_readonly("text", &Hypothesis::text, "Words separated by single spaces.")
      .def_readonly("score", &Hypothesis::score,
                    "acoustic + lm_score + word_score + oov_score + hot_word_score")
      .def_readonly("acoustic", &Hypothesis::acoustic,
                    "ln P(text | audio); greedy: of the one best alignment.")
      .def_readonly("lm", &Hypothesis::lm,
                    "ln P of the sentence in the language model, unweighted; 0 without one.")
      .def_readonly("lm_score", &Hypothesis::lm_score, "alpha * lm")
      .def_readonly("word_score", &Hypothesis::word_score,
                    "beta * number of words (of characters, where they are the language model's unit).")
      .def_readonly("oov_score", &Hypothesis::oov_score,
                    "oov_penalty * number of words outside the lexicon; 0 but with open_vocabulary.")
      .def_readonly("hot_word_score", &Hypothesis::hot_word_score, "Boosts of the hot phrases in the text.")
      .def_readonly("timesteps", &Hypothesis::timesteps, "Frame of each label of the text.")
      .def_readonly("words", &Hypothesis::words, "Words with their frames.")
      .def("__repr__", [](const Hypothesis& self) {
        return "Hypothesis(" + std::string(py::repr(py::str(self.text))) + ", " + std::to_string(self.score) +
               ")";
      });
}

}  // namespace

void register_decoder(py::module_& module) {
  register_hypothesis(module);
  module.def("greedy", &greedy, py::arg("log_probs"), py::arg("lengths"), py::arg("alphabet"),
             "Best-path decoding.\n\n"
             "log_probs: float32 [batch, frames, labels], natural log, C order, read in place. lengths: "
             "frames of each\n"
             "utterance. Returns a Hypothesis each. Raises DecodeError naming utterance, frame and label. "
             "Releases the GIL.");
  register_pruning(module);
  register_stream(module);
  module.def(
      "decode",
      [](const py::array& log_probs, const py::object& lengths, const Alphabet& alphabet,
         const Scorer* scorer, std::int64_t beam_width, std::optional<std::int64_t> threads,
         std::int64_t n_best, const py::object& mode, std::optional<float> alpha, std::optional<float> beta,
         const py::object& hot_words, bool open_vocabulary, float oov_penalty, float oov_letter_penalty) {
        const SearchArguments arguments{
            beam_width, mode, alpha, beta, hot_words, open_vocabulary, oov_penalty, oov_letter_penalty};
        return decode(to_batch(log_probs, lengths), alphabet, scorer, arguments,
                      whole_setting(n_best, "n_best"), threads);
      },
      py::arg("log_probs"), py::arg("lengths"), py::arg("alphabet"), py::arg("scorer") = py::none(),
      py::arg("beam_width") = standard<std::int64_t>("beam_width"), py::arg("threads") = py::none(),
      py::arg("n_best") = standard<std::int64_t>("n_best"), py::arg("mode") = "default", py::kw_only(),
      py::arg("alpha") = py::none(), py::arg("beta") = py::none(), py::arg("hot_words") = py::none(),
      py::arg("open_vocabulary") = false, py::arg("oov_penalty") = standard<float>("oov_penalty"),
      py::arg("oov_letter_penalty") = standard<float>("oov_letter_penalty"),
      "CTC prefix beam search, with a scorer over its lexicon and language model.\n\n"
      "log_probs: float32 [batch, frames, labels], natural log, C order, read in place. lengths: frames of "
      "each\n"
      "utterance. threads: default all cores; the answer does not depend on it. mode: exact, default, fast "
      "or "
      "a Pruning.\n"
      "alpha, beta: weights for this call instead of the scorer's. hot_words: phrase -> boost in nats, added "
      "for every\n"
      "occurrence. open_vocabulary: words outside the lexicon may be written; each adds oov_penalty (nats), "
      "and\n"
      "alpha * oov_letter_penalty (0 or below) for each of its labels.\n"
      "Returns per utterance up to n_best hypotheses, best first (equal scores by their text); score = "
      "acoustic +\n"
      "lm_score + word_score + oov_score + hot_word_score. Raises DecodeError naming utterance, frame and "
      "label.\n"
      "Releases the GIL.");
}

}  // namespace speechmill::bindings
