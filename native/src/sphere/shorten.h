// The shorten compression that SPHERE files carry (stream versions 1 and 2): linear prediction, Rice codes.
//
// Read from a description of the stream, with mu-law tables made by rule; see the comments at each step.
// Streams of mu-law (types 0 and 8), 8-bit (1, 2) and 16-bit (3, 5) samples. A stream that ends early is an
// error that tells how many samples were there; hostile streams cost bounded memory and never read past the
// end. Not here: SPHERE's header, checksums' verdict, stand-alone .shn files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace speechmill {

struct ShortenRequest {
  std::string name;            // of the file, for messages
  int channels = 1;            // as the file's header says
  bool ulaw = false;           // as the file's header says
  std::int64_t stop = -1;      // samples per channel that are wanted: whole blocks up to it, -1: all
  std::int64_t expected = -1;  // samples per channel the header promises, -1: unknown
};

struct ShortenAudio {
  std::vector<std::int16_t> samples;  // interleaved, linear
  std::int64_t frames = 0;            // samples per channel
  std::uint32_t checksum = 0;         // of what was decoded: sum of unsigned words, or of bytes, mod 65536
  bool complete = false;              // the stream was decoded to its end
};

// Decodes a stream that begins with "ajkg". Throws SphereError on truncation and damage.
ShortenAudio decode_shorten(const std::uint8_t* data, std::size_t size, const ShortenRequest& request);

// The mu-law byte of sample value v (-128 … 127) at a bit shift of 0 … 12; `type` 0 or 8.
std::uint8_t shorten_ulaw_byte(int type, int bitshift, int v);

}  // namespace speechmill
