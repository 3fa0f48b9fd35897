#include "search_arguments.h"

#include <pybind11/stl.h>

#include <cmath>

#include "base/error.h"
#include "bindings.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

// What a search may cut away, in the units of Python: probabilities and nats.
struct Pruning {
  float label_floor = 0.0F;
  float score_threshold = std::numeric_limits<float>::infinity();
  std::optional<float> blank_skip;
  std::int64_t crowd = 0;
  std::int64_t doubt_labels = static_cast<std::int64_t>(SearchOptions{}.doubt_labels);
};

float real_setting(float value, const char* name) {
  return static_cast<float>(checked(decoder_setting(name), static_cast<double>(value)));
}

Pruning make_pruning(float label_floor, float score_threshold, std::optional<float> blank_skip,
                     std::int64_t doubt_labels, std::int64_t crowd) {
  real_setting(label_floor, "label_floor");
  real_setting(score_threshold, "score_threshold");
  if (blank_skip) real_setting(*blank_skip, "blank_skip");
  whole_setting(doubt_labels, "doubt_labels");
  whole_setting(crowd, "crowd");
  return {label_floor, score_threshold, blank_skip, crowd, doubt_labels};
}

Pruning preset(const std::string& mode, float alpha) {
  const SearchOptions options = SearchOptions::preset(mode, 1, alpha);
  Pruning pruning;
  pruning.label_floor = std::exp(options.label_floor);
  pruning.score_threshold = options.score_threshold;
  if (std::isfinite(options.blank_skip)) pruning.blank_skip = std::exp(options.blank_skip);
  pruning.crowd = static_cast<std::int64_t>(options.crowd);
  pruning.doubt_labels = static_cast<std::int64_t>(options.doubt_labels);
  return pruning;
}

std::vector<std::pair<std::string, float>> phrases_of(const py::object& hot_words) {
  std::vector<std::pair<std::string, float>> phrases;
  if (!py::hasattr(hot_words, "items"))
    throw DecodeError("hot_words must be a mapping of phrase to boost, such as {\"new york\": 5.0}");
  for (const py::handle item : hot_words.attr("items")()) {
    const auto pair = py::reinterpret_borrow<py::tuple>(item);
    if (!py::isinstance<py::str>(pair[0])) throw DecodeError("a hot phrase must be a str");
    try {
      phrases.emplace_back(nfc(py::str(pair[0])), pair[1].cast<float>());
    } catch (const py::cast_error&) {
      throw DecodeError("the boost of hot phrase \"" + std::string(py::str(pair[0])) + "\" must be a number");
    }
  }
  return phrases;
}

}  // namespace

std::size_t whole_setting(std::int64_t value, const char* name) {
  return static_cast<std::size_t>(checked(decoder_setting(name), static_cast<double>(value)));
}

std::size_t positive(std::int64_t value, const char* name) {
  if (value < 1) throw DecodeError(std::string(name) + " " + std::to_string(value) + " must be at least 1");
  return static_cast<std::size_t>(value);
}

SearchOptions to_options(const SearchArguments& arguments, const Alphabet& alphabet, const Scorer* scorer) {
  DecoderSettings settings;
  settings.beam_width = whole_setting(arguments.beam_width, "beam_width");
  if (py::isinstance<Pruning>(arguments.mode)) {
    const auto pruning = arguments.mode.cast<Pruning>();
    settings.mode = "exact";
    settings.label_floor = pruning.label_floor;
    settings.score_threshold = pruning.score_threshold;
    settings.blank_skip = pruning.blank_skip;
    settings.crowd = static_cast<std::size_t>(pruning.crowd);
    settings.doubt_labels = static_cast<std::size_t>(pruning.doubt_labels);
  } else if (py::isinstance<py::str>(arguments.mode)) {
    settings.mode = arguments.mode.cast<std::string>();
  } else {
    throw DecodeError("mode must be \"exact\", \"default\", \"fast\" or a Pruning");
  }
  if (scorer == nullptr && (arguments.alpha || arguments.beta))
    throw DecodeError("alpha and beta weigh a scorer, and there is none");
  if (scorer != nullptr) settings.alpha = arguments.alpha.value_or(scorer->alpha());
  settings.open_vocabulary = arguments.open_vocabulary;
  settings.oov_penalty = real_setting(arguments.oov_penalty, "oov_penalty");
  settings.oov_letter_penalty = real_setting(arguments.oov_letter_penalty, "oov_letter_penalty");
  SearchOptions options = search_options(settings, scorer != nullptr);
  if (!arguments.hot_words.is_none()) {
    const auto phrases = phrases_of(arguments.hot_words);
    if (!phrases.empty() && scorer != nullptr && scorer->trie().pronounced())
      throw DecodeError(kHotWordsAndSounds);
    if (!phrases.empty()) options.hot_words = std::make_shared<const HotWords>(phrases, alphabet);
  }
  return options;
}

std::optional<Scorer> weighted(const SearchArguments& arguments, const Scorer* scorer) {
  if (scorer == nullptr) return std::nullopt;
  return scorer->with_weights(
      {arguments.alpha.value_or(scorer->alpha()), arguments.beta.value_or(scorer->beta())});
}

const float* checked_floats(const py::array& log_probs, int dimensions, const char* shape) {
  if (!py::isinstance<py::array_t<float>>(log_probs)) {
    throw DecodeError("log_probs must be float32, not " + std::string(py::str(log_probs.dtype())) +
                      "; use .astype(numpy.float32)");
  }
  if (log_probs.ndim() != dimensions) {
    throw DecodeError(std::string("log_probs must be ") + shape + ", not of " +
                      std::to_string(log_probs.ndim()) + " dimensions" +
                      (dimensions == 3 ? "; one utterance is log_probs[None]" : ""));
  }
  if ((log_probs.flags() & py::array::c_style) == 0) {
    throw DecodeError("log_probs must be contiguous in C order; use numpy.ascontiguousarray");
  }
  return static_cast<const float*>(log_probs.data());
}

Batch to_batch(const py::array& log_probs, const py::object& lengths) {
  Batch batch;
  batch.log_probs = checked_floats(log_probs, 3, "[batch, frames, labels]");
  batch.utterances = static_cast<std::size_t>(log_probs.shape(0));
  batch.frames = static_cast<std::size_t>(log_probs.shape(1));
  batch.labels = static_cast<std::size_t>(log_probs.shape(2));
  for (const py::handle item : lengths) {
    std::int64_t length = 0;
    try {
      length = py::module_::import("operator").attr("index")(item).cast<std::int64_t>();
    } catch (const py::error_already_set&) {
      throw DecodeError("length " + std::string(py::str(item)) + " is not a whole number of frames");
    } catch (const py::cast_error&) {
      throw DecodeError("length " + std::string(py::str(item)) + " is more than any utterance has");
    }
    if (length < 0) throw DecodeError("length " + std::to_string(length) + " is negative");
    batch.lengths.push_back(static_cast<std::size_t>(length));
  }
  return batch;
}

void register_pruning(py::module_& module) {
  module.def(
      "decoder_settings",
      [] {
        py::list rows;
        for (const Setting& setting : decoder_settings()) {
          const py::object standard =
              setting.has_standard() ? py::object(py::float_(setting.standard)) : py::none();
          rows.append(py::make_tuple(setting.name, standard, setting.least, setting.most, setting.whole));
        }
        return rows;
      },
      "The decoder's numbers: (name, default or None where the mode says, least, most, whole number).");
  py::class_<Pruning>(module, "Pruning",
                      "What a search may cut away; given as `mode`. Each cut is off unless it is named.")
      .def(py::init(&make_pruning), py::kw_only(), py::arg("label_floor") = 0.0F,
           py::arg("score_threshold") = std::numeric_limits<float>::infinity(),
           py::arg("blank_skip") = py::none(), py::arg("doubt_labels") = Pruning{}.doubt_labels,
           py::arg("crowd") = 0,
           "label_floor: probability below which a label is not tried. score_threshold: nats below the best "
           "of "
           "the frame\n"
           "at which a prefix is dropped; half of that at `crowd` live prefixes or more, in between in "
           "proportion (0: all\n"
           "of it always). blank_skip: probability of the blank from which on a frame extends "
           "nothing.\n"
           "doubt_labels: so many labels of the best text may be in doubt; older doubts are decided for it.\n"
           "Raises DecodeError for what is no probability.")
      .def_static("preset", &preset, py::arg("mode"), py::arg("alpha") = Weights{}.alpha,
                  "The cuts of \"exact\", \"default\" or \"fast\" at a weight of the language model.")
      .def_readonly("label_floor", &Pruning::label_floor)
      .def_readonly("score_threshold", &Pruning::score_threshold)
      .def_readonly("blank_skip", &Pruning::blank_skip)
      .def_readonly("doubt_labels", &Pruning::doubt_labels)
      .def_readonly("crowd", &Pruning::crowd)
      .def("__repr__", [](const Pruning& self) {
        return "Pruning(label_floor=" + std::to_string(self.label_floor) +
               ", score_threshold=" + std::to_string(self.score_threshold) +
               ", blank_skip=" + (self.blank_skip ? std::to_string(*self.blank_skip) : "None") +
               ", doubt_labels=" + std::to_string(self.doubt_labels) +
               ", crowd=" + std::to_string(self.crowd) + ")";
      });
}

}  // namespace speechmill::bindings
