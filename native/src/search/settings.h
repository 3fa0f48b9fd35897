// The decoder's settings, described once: the Python binding, speechmill-decode and the TensorFlow op take
// their names, defaults and ranges from here.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "search/beam_search.h"

namespace speechmill {

struct DecoderSettings {
  float alpha = Weights{}.alpha;
  float beta = Weights{}.beta;
  std::size_t beam_width = SearchOptions{}.beam_width;
  std::size_t n_best = 1;
  std::string mode = "default";      // exact, default or fast; what is set below counts instead of the mode's
  std::optional<float> label_floor;  // probability below which a label is not tried
  std::optional<float> score_threshold;  // nats below the best of the frame at which a prefix is dropped
  std::optional<float> blank_skip;       // probability of the blank from which on a frame extends nothing
  std::optional<std::size_t> doubt_labels;
  std::optional<std::size_t> crowd;
  bool open_vocabulary = false;
  float oov_penalty = SearchOptions{}.oov_penalty;
  float oov_letter_penalty = SearchOptions{}.oov_letter_penalty;
};

// A setting that is a number.
struct Setting {
  const char* name;
  double standard;  // NaN: as the mode says
  double least;
  double most;
  bool whole;
  const char* help;
  void (*put)(DecoderSettings* settings, double value);

  bool has_standard() const { return standard == standard; }
};

// All of them, in the order in which they are shown.
const std::vector<Setting>& decoder_settings();
// The one of this name, which exists.
const Setting& decoder_setting(const std::string& name);
// The value, if it is in the setting's range. Throws DecodeError, naming setting, value and range.
double checked(const Setting& setting, double value);
// What the search is told. Throws DecodeError for an unknown mode.
SearchOptions search_options(const DecoderSettings& settings, bool has_scorer);

}  // namespace speechmill
