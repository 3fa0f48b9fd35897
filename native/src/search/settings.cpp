#include "search/settings.h"

#include <cmath>
#include <cstdio>

#include "base/error.h"

namespace speechmill {
namespace {

constexpr double kOfMode = std::numeric_limits<double>::quiet_NaN();
constexpr double kMost = std::numeric_limits<float>::max();
constexpr double kMostCount = 1e6;

std::string shown(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.7g", value);
  return text;
}

std::vector<Setting> make_settings() {
  const DecoderSettings standard;
  using Settings = DecoderSettings;
  return {
      {"alpha", static_cast<double>(standard.alpha), 0, kMost, false,
       "weight of the language model's natural logarithm",
       [](Settings* s, double value) { s->alpha = static_cast<float>(value); }},
      {"beta", static_cast<double>(standard.beta), -kMost, kMost, false, "bonus per word",
       [](Settings* s, double value) { s->beta = static_cast<float>(value); }},
      {"beam_width", static_cast<double>(standard.beam_width), 1, kMostCount, true, "prefixes kept per frame",
       [](Settings* s, double value) { s->beam_width = static_cast<std::size_t>(value); }},
      {"n_best", 1, 1, kMostCount, true, "texts per utterance",
       [](Settings* s, double value) { s->n_best = static_cast<std::size_t>(value); }},
      {"oov_penalty", static_cast<double>(standard.oov_penalty), -kMost, kMost, false,
       "what each word outside the lexicon adds to the score",
       [](Settings* s, double value) { s->oov_penalty = static_cast<float>(value); }},
      {"oov_letter_penalty", static_cast<double>(standard.oov_letter_penalty), -kMost, 0, false,
       "and each of its letters, times alpha",
       [](Settings* s, double value) { s->oov_letter_penalty = static_cast<float>(value); }},
      {"label_floor", kOfMode, 0, 1, false, "probability below which a label is not tried",
       [](Settings* s, double value) { s->label_floor = static_cast<float>(value); }},
      {"score_threshold", kOfMode, 0, std::numeric_limits<double>::infinity(), false,
       "nats below the best of the frame at which a prefix is dropped",
       [](Settings* s, double value) { s->score_threshold = static_cast<float>(value); }},
      {"blank_skip", kOfMode, 0, 1, false, "probability of the blank from which on a frame extends nothing",
       [](Settings* s, double value) { s->blank_skip = static_cast<float>(value); }},
      {"doubt_labels", kOfMode, 2, kMostCount, true,
       "labels of the best text that may be in doubt; older doubts are decided for it",
       [](Settings* s, double value) { s->doubt_labels = static_cast<std::size_t>(value); }},
      {"crowd", kOfMode, 0, kMostCount, true,
       "live prefixes from which on half of score_threshold counts; 0: all of it always",
       [](Settings* s, double value) { s->crowd = static_cast<std::size_t>(value); }},
  };
}

}  // namespace

const std::vector<Setting>& decoder_settings() {
  static const std::vector<Setting> settings = make_settings();
  return settings;
}

const Setting& decoder_setting(const std::string& name) {
  for (const Setting& setting : decoder_settings()) {
    if (name == setting.name) return setting;
  }
  throw DecodeError("the decoder has no setting " + name);
}

double checked(const Setting& setting, double value) {
  if (value >= setting.least && value <= setting.most && (!setting.whole || value == std::floor(value))) {
    return value;
  }
  const bool bounded = setting.most < kMost;
  throw DecodeError(std::string(setting.name) + " " + shown(value) + " is not a " +
                    (setting.whole ? "whole number" : "number") +
                    (setting.least > -kMost ? " from " + shown(setting.least) + (bounded ? "" : " on") : "") +
                    (bounded ? (setting.least > -kMost ? " to " : " up to ") + shown(setting.most) : ""));
}

SearchOptions search_options(const DecoderSettings& settings, bool has_scorer) {
  const float alpha = has_scorer ? settings.alpha : Weights{}.alpha;
  SearchOptions options = SearchOptions::preset(settings.mode, settings.beam_width, alpha);
  if (settings.label_floor) options.label_floor = std::log(*settings.label_floor);
  if (settings.score_threshold) options.score_threshold = *settings.score_threshold;
  if (settings.blank_skip) options.blank_skip = std::log(*settings.blank_skip);
  if (settings.doubt_labels) options.doubt_labels = *settings.doubt_labels;
  if (settings.crowd) options.crowd = *settings.crowd;
  options.open_vocabulary = settings.open_vocabulary;
  options.oov_penalty = settings.oov_penalty;
  options.oov_letter_penalty = settings.oov_letter_penalty;
  return options;
}

}  // namespace speechmill
