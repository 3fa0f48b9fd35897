// NIST SPHERE audio files: header, and samples as 16-bit linear PCM.
//
// Reads pcm (8-bit signed, 16-bit in both byte orders), mu-law and A-law, and pcm or mu-law compressed by
// shorten. A file that holds less than its header says is an error, never a short answer; a whole read also
// proves the header's checksum (the sum of all samples as unsigned words, or of all mu-law bytes, mod 65536).
// Not here: resampling, choosing channels, other containers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"

namespace speechmill {

enum class SphereCoding { pcm, ulaw, alaw };

struct SphereInfo {
  std::string name;  // the file's path, for messages
  std::uint32_t header_bytes = 0;
  int channels = 0;
  int sample_rate_hz = 0;
  SphereCoding coding = SphereCoding::pcm;
  int sample_bytes = 0;                          // of the uncompressed data
  bool big_endian = false;                       // of 16-bit pcm
  bool shorten = false;                          // by the data's own magic number
  std::optional<std::int64_t> declared_samples;  // the header's sample_count, as it stands
  std::optional<std::uint32_t> checksum;         // the header's sample_checksum
  // Samples per channel: from the size of the file, or for shorten as declared (known only after decoding).
  std::int64_t num_samples = 0;
  bool truncated = false;  // uncompressed data shorter than declared: reading throws
  // What was odd but harmless: sample_count_mismatch (the file holds more than declared), sample_count_total
  // (the header counts both channels together), trailing_bytes, byte_order_assumed, duplicate_field,
  // string_length, compression_undeclared, coding_assumed.
  std::vector<std::string> flags;
  std::vector<std::pair<std::string, std::string>> fields;  // the header's lines in their order
};

struct SphereAudio {
  int channels = 0;
  std::vector<std::int16_t> samples;  // interleaved
};

// Reads the header of `source`; `name` stands for it in messages. Throws SphereError.
SphereInfo read_sphere_info(const ByteSource& source, const std::string& name);

// Samples [start, stop) of every channel; stop < 0 means the end. `verify`: prove the checksum of whole
// reads.
struct SphereSpan {
  std::int64_t start = 0;
  std::int64_t stop = -1;
  bool verify = true;
};

// Throws SphereError on truncation, on damage and on a span outside the file, and SphereChecksumError when
// everything is read and its checksum does not agree.
SphereAudio read_sphere(const ByteSource& source, const SphereInfo& info, const SphereSpan& span = {});

}  // namespace speechmill
