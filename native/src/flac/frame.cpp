#include "flac/frame.h"

#include <algorithm>
#include <array>

#include "flac/crc.h"

namespace speechmill {
namespace flac {
namespace {

constexpr std::array<int, 12> kRates = {0,     88200, 176400, 192000, 8000,  16000,
                                        22050, 24000, 32000,  44100,  48000, 96000};
constexpr std::array<int, 8> kBits = {0, 8, 12, -1, 16, 20, 24, 32};

// The bytes of a frame header one by one.
struct HeaderBytes {
  const std::uint8_t* data;
  std::size_t size;
  std::size_t at;
  bool cut;

  unsigned next() {
    if (at >= size) {
      cut = true;
      return 0;
    }
    return data[at++];
  }

  unsigned number(int bytes) {
    unsigned value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | next();
    return value;
  }
};

// A number of up to 36 bits written as UTF-8 writes characters; false when it is not one.
bool read_coded_number(HeaderBytes* bytes, std::uint64_t* number) {
  const unsigned first = bytes->next();
  if (first < 0x80) {
    *number = first;
    return true;
  }
  if (first < 0xC0 || first == 0xFF) return false;
  int more = 1;
  while (more < 6 && (first & (0x40U >> more)) != 0) ++more;
  std::uint64_t value = more == 6 ? 0 : first & (0x3FU >> more);
  for (int i = 0; i < more; ++i) {
    const unsigned byte = bytes->next();
    if (bytes->cut) return true;  // the caller sees it
    if ((byte & 0xC0) != 0x80) return false;
    value = value << 6 | (byte & 0x3F);
  }
  *number = value;
  return true;
}

std::uint32_t block_size(unsigned code, HeaderBytes* bytes) {
  if (code == 1) return 192;
  if (code <= 5) return 144U << code;
  if (code == 6) return bytes->number(1) + 1;
  if (code == 7) return bytes->number(2) + 1;
  return 1U << code;
}

int sample_rate(unsigned code, HeaderBytes* bytes) {
  if (code < kRates.size()) return kRates[code];
  if (code == 12) return static_cast<int>(bytes->number(1)) * 1000;
  const int number = static_cast<int>(bytes->number(2));
  return code == 13 ? number : number * 10;
}

}  // namespace

HeaderFault read_frame_header(const std::uint8_t* data, std::size_t size, FrameHeader* header) {
  HeaderBytes bytes{data, size, 0, false};
  const unsigned sync = bytes.number(2);
  if (bytes.cut) return {"the data end inside its header: cut short", true};
  if ((sync & 0xFFFE) != 0xFFF8) return {"no frame begins here", false};
  const unsigned sizes = bytes.next();
  const unsigned shape = bytes.next();
  const unsigned assignment = shape >> 4;
  const int bits = kBits[shape >> 1 & 7];
  const bool number = read_coded_number(&bytes, &header->number);
  header->variable = (sync & 1) != 0;
  header->block = block_size(sizes >> 4, &bytes);
  header->sample_rate_hz = (sizes & 15) == 15 ? -1 : sample_rate(sizes & 15, &bytes);
  const std::uint8_t sum = flac_crc8(data, bytes.at);
  const unsigned stated = bytes.next();
  if (bytes.cut) return {"the data end inside its header: cut short", true};
  if (sum != stated) return {"the CRC-8 of its header does not agree", false};
  if (!number) return {"its number is not coded as one", false};
  if ((sizes >> 4) == 0 || header->block > 65535) return {"its block size is a reserved value", false};
  if (header->sample_rate_hz < 0) return {"its sample rate is a reserved value", false};
  if (assignment > 10) return {"its channels are a reserved value", false};
  if (bits < 0 || (shape & 1) != 0) return {"its sample size is a reserved value", false};
  header->channels = assignment < 8 ? static_cast<int>(assignment) + 1 : 2;
  header->stereo = assignment < 8 ? Stereo::independent : static_cast<Stereo>(assignment - 7);
  header->bits = bits;
  header->bytes = bytes.at;
  return {};
}

std::string frame_place(std::uint64_t frame, std::size_t byte, std::size_t size) {
  return "FLAC frame " + std::to_string(frame) + " (byte " + std::to_string(byte) + " of " +
         std::to_string(size) + "): ";
}

}  // namespace flac

namespace {

[[noreturn]] void refuse_metadata(const std::string& what, FlacFault fault = FlacFault::corrupt) {
  throw FlacError(fault, "FLAC metadata: " + what);
}

std::uint64_t number_at(const std::uint8_t* data, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | data[i];
  return value;
}

FlacInfo parse_stream_info(const std::uint8_t* block) {
  FlacInfo info;
  info.min_block = static_cast<std::uint32_t>(number_at(block, 2));
  info.max_block = static_cast<std::uint32_t>(number_at(block + 2, 2));
  const std::uint64_t packed = number_at(block + 10, 8);
  info.sample_rate_hz = static_cast<int>(packed >> 44);
  info.channels = static_cast<int>(packed >> 41 & 7) + 1;
  info.bits = static_cast<int>(packed >> 36 & 31) + 1;
  info.frames = packed & ((std::uint64_t{1} << 36) - 1);
  std::copy(block + 18, block + 34, info.md5.begin());
  if (info.sample_rate_hz == 0)
    refuse_metadata("a sample rate of 0 Hz: this is no sound", FlacFault::unsupported);
  if (info.bits < 4) refuse_metadata(std::to_string(info.bits) + " bits per sample; the format has 4 to 32");
  if (info.max_block < info.min_block) {
    refuse_metadata("blocks of " + std::to_string(info.min_block) + " to " + std::to_string(info.max_block) +
                    " samples");
  }
  return info;
}

}  // namespace

FlacInfo read_flac_info(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kStreamInfo = 34;
  if (size < 8 + kStreamInfo || std::string(data, data + 4) != "fLaC") {
    refuse_metadata("the header is damaged or cut (" + std::to_string(size) + " bytes)");
  }
  if ((data[4] & 0x7F) != 0 || number_at(data + 5, 3) != kStreamInfo) {
    refuse_metadata("the first block is not STREAMINFO");
  }
  FlacInfo info = parse_stream_info(data + 8);
  std::size_t at = 4;
  for (bool last = false; !last;) {
    if (size - at < 4) refuse_metadata("cut after " + std::to_string(size) + " bytes");
    const int type = data[at] & 0x7F;
    const std::uint64_t bytes = number_at(data + at + 1, 3);
    if (type == 127) refuse_metadata("a block of forbidden type 127 at byte " + std::to_string(at));
    if (type == 0 && at != 4) refuse_metadata("a second STREAMINFO at byte " + std::to_string(at));
    if (bytes > size - at - 4) {
      refuse_metadata("a block of " + std::to_string(bytes) + " bytes at byte " + std::to_string(at) +
                      " ends behind the file's " + std::to_string(size));
    }
    last = (data[at] & 0x80) != 0;
    at += 4 + bytes;
  }
  info.audio_at = at;
  return info;
}

}  // namespace speechmill
