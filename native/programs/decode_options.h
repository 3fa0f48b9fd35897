// The command line of speechmill-decode.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "search/beam_search.h"

namespace speechmill {

struct DecodeCommand {
  std::string language_model;  // folder; empty: without
  std::string alphabet;        // file; empty: the language model's
  std::string lengths;         // file; empty: every utterance has all frames
  int blank = -1;
  float alpha = 0.5F;
  float beta = 1.5F;
  std::string mode = "default";
  std::size_t beam_width = 100;
  std::size_t n_best = 1;
  std::size_t threads = 1;
  bool open_vocabulary = false;
  float oov_penalty = SearchOptions{}.oov_penalty;
  float oov_letter_penalty = SearchOptions{}.oov_letter_penalty;
  bool json = false;
  bool logits = false;
  bool help = false;
  std::vector<std::string> files;
};

// A command line that cannot be meant; the text says which part.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws UsageError.
DecodeCommand parse_command(const std::vector<std::string>& arguments);
const char* usage();

}  // namespace speechmill
