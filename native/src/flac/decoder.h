// FLAC (RFC 9639) to samples, with every check the format offers.
//
// Verified: CRC-8 of each frame header, CRC-16 of each frame, frame or sample numbers without a gap, rate,
// channels, depth and block sizes against STREAMINFO, samples within their depth, the declared total, and the
// MD5 of the samples where one is stated. Reserved values are refused. Unknown metadata is skipped; bytes
// behind the declared end are ignored unless they are a further frame. 4 to 32 bits, 1 to 8 channels, blocks
// up to 65,535. Not here: Ogg, seeking, tags, an ID3 tag in front.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "hashes/md5.h"

namespace speechmill {

// STREAMINFO: what the encoder says it wrote.
struct FlacInfo {
  int sample_rate_hz = 0;
  int channels = 0;
  int bits = 0;  // per sample
  std::uint32_t min_block = 0;
  std::uint32_t max_block = 0;
  std::uint64_t frames = 0;  // samples per channel, 0: unknown
  Md5Digest md5{};           // all zero: not stated
  std::size_t audio_at = 0;  // byte of the first frame
  bool has_md5() const { return md5 != Md5Digest{}; }
  // Bytes of one sample as they are delivered: 2 up to 16 bits, else 4.
  std::size_t sample_bytes() const { return bits <= 16 ? 2 : 4; }
};

// Throws FlacError when the metadata are damaged or cut.
FlacInfo read_flac_info(const std::uint8_t* data, std::size_t size);

// Decodes some blocks at a time, in bounded memory. The data must stay as they are meanwhile.
class FlacDecoder {
public:
  // `sum_md5`: sum and prove the MD5 here; else the caller does.
  FlacDecoder(const std::uint8_t* data, std::size_t size, bool sum_md5 = true);
  ~FlacDecoder();
  FlacDecoder(const FlacDecoder&) = delete;
  FlacDecoder& operator=(const FlacDecoder&) = delete;

  const FlacInfo& info() const;
  // Where the next block would begin: behind the last one, once gather() returned 0.
  std::size_t at() const;
  // Takes the next few blocks apart; returns their samples per channel. 0: the end, and all was proved.
  // Throws FlacError naming frame and byte.
  std::size_t gather();
  // Writes the gathered samples, interleaved, filled from the top bit: int16 up to 16 bits, else int32
  // (info().sample_bytes()). Once after each gather.
  void deliver(void* samples);

private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};

struct FlacSound {
  FlacInfo info;
  std::unique_ptr<void, FreeMemory> samples;  // interleaved, as FlacDecoder::deliver writes them
  std::uint64_t frames = 0;                   // samples per channel
  std::size_t bytes = 0;                      // of the file, up to the end of its last block
};

struct FlacBytes {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
};

// A whole file. Memory grows with what is decoded, never by what a header claims; `most_bytes` of samples are
// allowed. Throws FlacError.
FlacSound decode_flac(const FlacBytes& file, std::uint64_t most_bytes);

struct FlacOutcome {
  FlacSound sound;
  std::optional<FlacError> error;  // then there is no sound
};

// Several files; their MD5 are summed side by side. One file's damage does not touch the others.
std::vector<FlacOutcome> decode_flac_many(const std::vector<FlacBytes>& files, std::uint64_t most_bytes);

}  // namespace speechmill
