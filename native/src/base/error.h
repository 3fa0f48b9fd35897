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

// What is wrong with a FLAC file: `corrupt` also when the data end inside a frame, `truncated` when whole
// frames are missing at the end, `too_big` when it decodes to more bytes than allowed.
enum class FlacFault { corrupt, truncated, md5, unsupported, too_big };

struct FlacError : std::runtime_error {
  FlacError(FlacFault what_fault, const std::string& what) : std::runtime_error(what), fault(what_fault) {}
  FlacFault fault;
};

}  // namespace speechmill
