#include <pybind11/stl.h>

#include <memory>
#include <mutex>

#include "base/error.h"
#include "search_arguments.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

// A search that owns what it reads. Calls from several threads take turns.
class Stream {
public:
  Stream(const Alphabet& alphabet, const Scorer* scorer, const SearchArguments& arguments)
      : alphabet_(alphabet),
        scorer_(weighted(arguments, scorer)),
        search_(alphabet_, scorer_ ? &*scorer_ : nullptr, to_options(arguments, alphabet_, scorer)) {}

  void feed(const py::array& log_probs) {
    const float* rows = checked_floats(log_probs, 2, "[frames, labels]");
    const auto frames = static_cast<std::size_t>(log_probs.shape(0));
    if (static_cast<std::size_t>(log_probs.shape(1)) != alphabet_.size()) {
      throw DecodeError("log_probs have " + std::to_string(log_probs.shape(1)) +
                        " labels, the alphabet has " + std::to_string(alphabet_.size()) + " (" +
                        std::to_string(alphabet_.labels().size()) + " and the blank)");
    }
    const py::gil_scoped_release unlocked;
    const std::lock_guard<std::mutex> turn(mutex_);
    if (finished_) throw DecodeError("the stream is finished; reset() begins another");
    search_.feed(rows, frames);
  }

  std::vector<Hypothesis> answer(std::int64_t n_best, bool last) {
    const std::size_t count = whole_setting(n_best, "n_best");
    const py::gil_scoped_release unlocked;
    const std::lock_guard<std::mutex> turn(mutex_);
    finished_ = finished_ || last;
    return search_.finish(count);
  }

  void reset() {
    const py::gil_scoped_release unlocked;
    const std::lock_guard<std::mutex> turn(mutex_);
    search_.reset();
    finished_ = false;
  }

  std::size_t frames() {
    const py::gil_scoped_release unlocked;
    const std::lock_guard<std::mutex> turn(mutex_);
    return search_.frames();
  }

  py::dict usage() {
    SearchUsage usage;
    {
      const py::gil_scoped_release unlocked;
      const std::lock_guard<std::mutex> turn(mutex_);
      usage = search_.usage();
    }
    py::dict answer;
    answer["prefixes"] = usage.prefixes;
    answer["times"] = usage.times;
    answer["settled"] = usage.settled;
    return answer;
  }

private:
  const Alphabet alphabet_;
  const std::optional<Scorer> scorer_;
  std::mutex mutex_;
  BeamSearch search_;
  bool finished_ = false;
};

}  // namespace

void register_stream(py::module_& module) {
  py::class_<Stream>(
      module, "Stream",
      "A beam search that is fed piece by piece; the pieces do not change the answer.\n\n"
      "Holds what the beam still disagrees on, and eight bytes for every label that is settled. "
      "Usable from\n"
      "several threads, one call at a time; every method releases the GIL.")
      .def(py::init([](const Alphabet& alphabet, const Scorer* scorer, std::int64_t beam_width,
                       const py::object& mode, std::optional<float> alpha, std::optional<float> beta,
                       const py::object& hot_words, bool open_vocabulary, float oov_penalty,
                       float oov_letter_penalty) {
             return std::make_unique<Stream>(
                 alphabet, scorer,
                 SearchArguments{beam_width, mode, alpha, beta, hot_words, open_vocabulary, oov_penalty,
                                 oov_letter_penalty});
           }),
           py::arg("alphabet"), py::arg("scorer") = py::none(),
           py::arg("beam_width") = standard<std::int64_t>("beam_width"), py::arg("mode") = "default",
           py::kw_only(), py::arg("alpha") = py::none(), py::arg("beta") = py::none(),
           py::arg("hot_words") = py::none(), py::arg("open_vocabulary") = false,
           py::arg("oov_penalty") = standard<float>("oov_penalty"),
           py::arg("oov_letter_penalty") = standard<float>("oov_letter_penalty"),
           "Settings as of decode(). Raises DecodeError naming what does not fit.")
      .def("feed", &Stream::feed, py::arg("log_probs"),
           "log_probs: float32 [frames, labels], natural log, C order, read in place. Raises DecodeError "
           "naming "
           "the frame\n"
           "(counted from the stream's beginning) and the label of a value that is no log-probability; the "
           "frames before\n"
           "it have been taken.")
      .def(
          "peek", [](Stream& self, std::int64_t n_best) { return self.answer(n_best, false); },
          py::arg("n_best") = standard<std::int64_t>("n_best"),
          "Up to n_best hypotheses for what was fed so far, best first, as if the audio ended here.")
      .def(
          "finish", [](Stream& self, std::int64_t n_best) { return self.answer(n_best, true); },
          py::arg("n_best") = standard<std::int64_t>("n_best"),
          "As peek; nothing may be fed afterwards but after reset().")
      .def("reset", &Stream::reset, "Forgets everything fed so far.")
      .def_property_readonly("frames", &Stream::frames, "Frames fed so far.")
      .def_property_readonly(
          "usage", &Stream::usage,
          "What the search holds now: prefixes, times, settled (labels that cannot change).");
}

}  // namespace speechmill::bindings
