// The command line of speechmill-decode.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "search/settings.h"

namespace speechmill {

struct DecodeCommand {
  std::string language_model;  // folder; empty: without
  std::string alphabet;        // file; empty: the language model's
  std::string lengths;         // file; empty: every utterance has all frames
  int blank = -1;
  DecoderSettings decoder;
  std::size_t threads = 1;
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
std::string usage();

}  // namespace speechmill
