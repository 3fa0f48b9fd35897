// Any bytes as a FLAC file: samples or a FlacError, nothing else, and the same from a file alone, among
// others and in pieces. Unless the input is a file of its own, it becomes the inside of frames whose headers
// and sums are right, so that the sample decoders are reached at once.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "flac/crc.h"
#include "flac/decoder.h"
#include "flac/subframe.h"

namespace {

using namespace speechmill;

constexpr std::uint64_t kMost = 64U << 20;

void put(std::vector<std::uint8_t>* file, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) file->push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

struct Shape {
  unsigned assignment;
  unsigned bits;
};

// Where the bytes from `inside` on begin with whole channels, these stay, and the bits that fill the last
// byte are 0.
void cut_to_frame(std::vector<std::uint8_t>* file, std::size_t inside, std::size_t block,
                  const Shape& shape) {
  flac::Bits bits(file->data() + inside, file->size() - inside);
  flac::Subframe subframe;
  try {
    const unsigned channels = shape.assignment < 8 ? shape.assignment + 1 : 2;
    for (unsigned channel = 0; channel < channels; ++channel) {
      const bool side = shape.assignment >= 8 && channel == (shape.assignment == 9 ? 0U : 1U);
      flac::parse_subframe(&bits, block, static_cast<int>(shape.bits) + (side ? 1 : 0), &subframe);
    }
  } catch (const flac::EndOfBits&) {
    return;
  } catch (const flac::ResidualTooLarge&) {
    return;
  } catch (const flac::Forbidden&) {
    return;
  }
  const std::size_t used = bits.position();
  file->resize(inside + (used + 7) / 8);
  if (used % 8 != 0) file->back() &= static_cast<std::uint8_t>(0xFF00 >> (used % 8));
}

// One block of 1 to 256 samples per 64 bytes of input; the first byte picks channels and depth.
std::vector<std::uint8_t> with_headers(const std::uint8_t* data, std::size_t size) {
  constexpr unsigned kDepths[8] = {16, 8, 12, 24, 20, 16, 32, 16};
  const unsigned assignment = data[0] % 11;
  const unsigned channels = assignment < 8 ? assignment + 1 : 2;
  std::vector<std::uint8_t> file = {'f', 'L', 'a', 'C', 0x80, 0, 0, 34};
  put(&file, 0x00010100, 4);  // blocks of 1 to 256 samples
  put(&file, 0, 6);
  put(&file,
      std::uint64_t{16000} << 44 | std::uint64_t{channels - 1} << 41 |
          std::uint64_t{kDepths[data[0] / 16 % 8] - 1} << 36,
      8);
  file.resize(file.size() + 16);
  unsigned sample = 0;
  for (std::size_t at = 1; at + 1 < size; at += 64) {
    const std::size_t start = file.size();
    put(&file, 0xFFF960, 3);  // numbered by samples, block size in 8 bits
    put(&file, assignment << 4, 1);
    put(&file, 0xC0 | sample >> 6, 1);  // two bytes hold 11 bits
    put(&file, 0x80 | (sample & 0x3F), 1);
    const unsigned block = data[at] + 1U;
    put(&file, block - 1, 1);
    put(&file, flac_crc8(file.data() + start, file.size() - start), 1);
    const std::size_t inside = file.size();
    file.insert(file.end(), data + at + 1, data + std::min(size, at + 64));
    cut_to_frame(&file, inside, block, {assignment, kDepths[data[0] / 16 % 8]});
    put(&file, flac_crc16(file.data() + start, file.size() - start), 2);
    sample += block;
    if (sample > 0x7FF) break;
  }
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const bool whole = size > 4 && std::memcmp(data, "fLaC", 4) == 0;
  const std::vector<std::uint8_t> file =
      whole ? std::vector<std::uint8_t>(data, data + size) : with_headers(data, size);
  const FlacBytes bytes{file.data(), file.size()};
  const std::vector<FlacOutcome> among =
      decode_flac_many({bytes, {file.data(), file.size() / 2}, bytes}, kMost);
  const auto same = [&among](const FlacSound& sound, std::size_t i) {
    const std::size_t width = sound.info.sample_bytes() * static_cast<std::size_t>(sound.info.channels);
    return !among[i].error && among[i].sound.frames == sound.frames &&
           std::memcmp(among[i].sound.samples.get(), sound.samples.get(), sound.frames * width) == 0;
  };
  try {
    const FlacSound sound = decode_flac(bytes, kMost);
    if (!same(sound, 0) || !same(sound, 2)) std::abort();
    if (sound.info.frames != 0 && sound.info.frames != sound.frames) std::abort();
  } catch (const FlacError& error) {
    if (!among[0].error || std::string(among[0].error->what()) != error.what()) std::abort();
  }
  return 0;
}
