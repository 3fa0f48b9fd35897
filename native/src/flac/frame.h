// The headers of a FLAC stream: STREAMINFO and the header of each frame (RFC 9639, 8.2 and 9.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "flac/decoder.h"

namespace speechmill::flac {

enum class Stereo { independent, left_side, side_right, mid_side };

struct FrameHeader {
  std::uint32_t block = 0;  // samples per channel
  int sample_rate_hz = 0;   // 0: as STREAMINFO says
  int channels = 0;
  Stereo stereo = Stereo::independent;
  int bits = 0;  // 0: as STREAMINFO says
  bool variable = false;
  std::uint64_t number = 0;  // of the frame, or of its first sample where block sizes vary
  std::size_t bytes = 0;     // of the header
};

// Where a header is not one: why. Null: the header is whole, its CRC-8 agrees and no value is reserved.
// `cut`: the data end inside it.
struct HeaderFault {
  const char* reason = nullptr;
  bool cut = false;
};

HeaderFault read_frame_header(const std::uint8_t* data, std::size_t size, FrameHeader* header);

// "FLAC frame 12 (byte 3456 of 7890): "
std::string frame_place(std::uint64_t frame, std::size_t byte, std::size_t size);

}  // namespace speechmill::flac
