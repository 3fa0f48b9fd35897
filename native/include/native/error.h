// The errors this library throws. One class per area; the bindings map each to the Python class of the
// same name in native/errors.py. Messages are whole sentences: value, place, likely mistake.
// The library never prints and never aborts.
#pragma once

#include <stdexcept>
#include <string>

namespace speechmill {

struct AlphabetError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct ScorerError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct DecodeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct SphereError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct SphereChecksumError : SphereError {
  using SphereError::SphereError;
};

}  // namespace speechmill
