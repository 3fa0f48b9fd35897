#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <thread>

#include "base/error.h"
#include "bindings.h"
#include "corrector/spell_corrector.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

SpellCorrector make_corrector(const Scorer& scorer, std::int64_t beam_width, std::int64_t max_candidates) {
  if (beam_width < 1) throw DecodeError("beam_width " + std::to_string(beam_width) + " must be at least 1");
  if (max_candidates < 0) {
    throw DecodeError("max_candidates " + std::to_string(max_candidates) + " must be 0 (all) or above");
  }
  return {scorer, {static_cast<std::size_t>(beam_width), static_cast<std::size_t>(max_candidates)}};
}

std::vector<std::string> candidate_words(const SpellCorrector& corrector, const std::string& word) {
  std::vector<std::string> words;
  for (const SpellCorrector::Candidate& candidate : corrector.candidates(word)) {
    words.push_back(candidate.word);
  }
  return words;
}

std::vector<std::string> correct(const SpellCorrector& corrector, const std::vector<std::string>& texts,
                                 std::optional<std::int64_t> threads) {
  const auto cores = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
  const std::int64_t count = threads.value_or(cores);
  if (count < 1) throw DecodeError("threads " + std::to_string(count) + " must be at least 1");
  const py::gil_scoped_release unlocked;
  return corrector.correct(texts, static_cast<std::size_t>(count));
}

}  // namespace

void register_corrector(py::module_& module) {
  py::class_<SpellCorrector>(
      module, "SpellCorrector",
      "The spell corrector of 2017: words of the lexicon stay, others become words one edit away, else two,\n"
      "and the language model picks the sentence. Immutable, shared by threads.")
      .def(py::init(&make_corrector), py::arg("scorer"),
           py::arg("beam_width") = CorrectorOptions{}.beam_width,
           py::arg("max_candidates") = CorrectorOptions{}.max_candidates,
           "scorer: language model and lexicon; its weights take no part. beam_width: sentences kept per "
           "word.\n"
           "max_candidates: words tried per unknown word, the most frequent ones; 0 = all. Raises "
           "DecodeError.")
      .def("candidates", &candidate_words, py::arg("word"),
           "What a word may have been, in the order of the alphabet: itself if the lexicon has it, else all "
           "words\n"
           "one edit (insert, remove, replace, swap neighbours) away, else two edits, else itself.")
      .def("correct", &correct, py::arg("texts"), py::arg("threads") = py::none(),
           "Every text corrected, words separated by single spaces. threads: default all cores; the answer "
           "does not\n"
           "depend on it. Releases the GIL.");
}

}  // namespace speechmill::bindings
