// Transcripts side by side: counts of many pairs, the way of one.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "alignment/align.h"
#include "bindings.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

using namespace alignment;

std::string_view view(const py::handle& text) {
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (data == nullptr) throw py::error_already_set();
  return {data, static_cast<std::size_t>(size)};
}

std::vector<std::string_view> views(const py::sequence& texts) {
  std::vector<std::string_view> all;
  all.reserve(texts.size());
  for (const py::handle text : texts) all.push_back(view(text));
  return all;
}

py::list align_counts(const py::list& references, const py::list& hypotheses, bool deletable,
                      bool fragments) {
  if (references.size() != hypotheses.size()) {
    throw std::invalid_argument(std::to_string(references.size()) + " references and " +
                                std::to_string(hypotheses.size()) + " hypotheses are not pairs");
  }
  const std::vector<std::string_view> said = views(references);
  const std::vector<std::string_view> heard = views(hypotheses);
  std::vector<std::array<int, 4>> counts(said.size());
  {
    const py::gil_scoped_release unlocked;
    const Rules rules{deletable, fragments};
    WordGraph reference;
    WordGraph hypothesis;
    for (std::size_t i = 0; i < said.size(); ++i) {
      reference.parse(said[i], rules);
      hypothesis.parse(heard[i], rules);
      for (const Step& step : align(reference, hypothesis)) {
        ++counts[i][std::string_view("CSDI").find(static_cast<char>(step.kind))];
      }
    }
  }
  py::list answer(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    answer[i] = py::make_tuple(counts[i][0], counts[i][1], counts[i][2], counts[i][3]);
  }
  return answer;
}

py::object shown(const Arc& arc, bool there) {
  if (!there) return py::none();
  return py::str(arc.shown.data(), arc.shown.size());
}

void check_times(const char* side, const Times& times, const WordGraph& graph) {
  if (times.size() + 1 != graph.arcs().size()) {
    throw std::invalid_argument(std::to_string(times.size()) + " times for the " +
                                std::to_string(graph.arcs().size() - 1) + " words of the " + side);
  }
}

py::list align_path(const py::str& reference, const py::str& hypothesis, bool deletable, bool fragments,
                    const std::optional<Times>& reference_times,
                    const std::optional<Times>& hypothesis_times) {
  const Rules rules{deletable, fragments};
  WordGraph said;
  WordGraph heard;
  said.parse(view(reference), rules);
  heard.parse(view(hypothesis), rules);
  std::vector<Step> steps;
  if (reference_times && hypothesis_times) {
    check_times("reference", *reference_times, said);
    check_times("hypothesis", *hypothesis_times, heard);
    steps = align_by_time(said, heard, *reference_times, *hypothesis_times);
  } else {
    steps = align(said, heard);
  }
  py::list answer;
  for (const Step& step : steps) {
    answer.append(py::make_tuple(
        std::string(1, static_cast<char>(step.kind)), shown(said.arcs()[step.reference], step.reference > 0),
        shown(heard.arcs()[step.hypothesis], step.hypothesis > 0), static_cast<int>(step.reference) - 1,
        static_cast<int>(step.hypothesis) - 1));
  }
  return answer;
}

}  // namespace

void register_alignment(py::module_& module) {
  module.def(
      "align_counts", &align_counts, py::arg("references"), py::arg("hypotheses"),
      py::arg("deletable") = false, py::arg("fragments") = false,
      "[(words correct, substituted, missing, added)] of every pair, by NIST's rules of alignment. Raises\n"
      "ValueError where a text's alternations cannot be read.");
  module.def("align_path", &align_path, py::arg("reference"), py::arg("hypothesis"),
             py::arg("deletable") = false, py::arg("fragments") = false,
             py::arg("reference_times") = py::none(), py::arg("hypothesis_times") = py::none(),
             "[(C, S, D or I; word said or None; word heard or None; their places in the texts or -1)]. With "
             "times\n(start and end of every word in seconds) pairs are those near in time.");
}

}  // namespace speechmill::bindings
