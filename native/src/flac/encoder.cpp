#include "flac/encoder.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include <array>
#include "flac/bit_writer.h"
#include "flac/crc.h"
#include "flac/predictor.h"
#include "flac/residual.h"
#include "hashes/md5.h"

namespace speechmill {
namespace {

using namespace flac;

constexpr std::size_t kHeaderBytes = 4 + 4 + 34;  // fLaC, the block's own header, STREAMINFO
constexpr std::size_t kFrameRoom = 4 * kFlacBlock;
constexpr int kSampleBits = 16;
constexpr unsigned kBlockCode = 10;  // 256 * 2^(code - 8) samples
static_assert(kFlacBlock == std::size_t{256} << (kBlockCode - 8));

constexpr unsigned kConstantSubframe = 0;
constexpr unsigned kVerbatimSubframe = 1;
constexpr unsigned kFixedSubframe = 8;
constexpr unsigned kLinearSubframe = 32;

// The rate's code in a frame header (RFC 9639, 9.1.2) and what stands behind the frame's number.
struct RateCode {
  unsigned code = 0;  // 0: only STREAMINFO tells
  std::uint32_t extra = 0;
  unsigned extra_bits = 0;
};

RateCode rate_code(std::uint32_t rate_hz) {
  static constexpr std::uint32_t kKnown[] = {88200, 176400, 192000, 8000,  16000, 22050,
                                             24000, 32000,  44100,  48000, 96000};
  for (unsigned i = 0; i < std::size(kKnown); ++i) {
    if (kKnown[i] == rate_hz) return {i + 1, 0, 0};
  }
  if (rate_hz % 1000 == 0 && rate_hz / 1000 <= 255) return {12, rate_hz / 1000, 8};
  if (rate_hz <= 65535) return {13, rate_hz, 16};
  if (rate_hz % 10 == 0) return {14, rate_hz / 10, 16};
  return {};
}

// A frame's number in the manner of UTF-8, up to 31 bits.
void write_number(std::uint32_t number, BitWriter* writer) {
  if (number < 0x80) {
    writer->bits(number, 8);
    return;
  }
  unsigned behind = 1;  // bytes of six bits after the first one
  while (behind < 5 && number >> (5 * behind + 6) != 0) ++behind;
  const unsigned lead = 0xFFU << (7 - behind - 1) & 0xFFU;
  writer->bits((lead & (0xFFU << (7 - behind))) | number >> (6 * behind), 8);
  while (behind-- > 0) writer->bits(0x80U | (number >> (6 * behind) & 0x3FU), 8);
}

// One block after the other of a stream, as frames.
class FrameWriter {
public:
  FrameWriter(std::uint32_t rate_hz, bool wide)
      : rate_(rate_code(rate_hz)),
        wide_(wide),
        search_(wide),
        frame_(kFrameRoom),
        samples_(kFlacBlock + 2 * kBlockMargin),
        folded_(kFlacBlock + kBlockMargin) {}

  // Appends the frame of 1 to kFlacBlock samples; returns its size in bytes.
  std::size_t write(const std::int16_t* samples, std::size_t count, std::vector<std::uint8_t>* out) {
    BitWriter writer(frame_.data());
    write_header(count, &writer);
    write_subframe(samples, count, &writer);
    std::uint8_t* end = writer.finish();
    const std::uint16_t sum = flac_crc16(frame_.data(), static_cast<std::size_t>(end - frame_.data()));
    *end++ = static_cast<std::uint8_t>(sum >> 8);
    *end++ = static_cast<std::uint8_t>(sum & 0xFF);
    out->insert(out->end(), frame_.data(), end);
    ++number_;
    return static_cast<std::size_t>(end - frame_.data());
  }

private:
  void write_header(std::size_t count, BitWriter* writer) {
    writer->bits(0xFFF8, 16);  // blocks of one length
    const unsigned length = count == kFlacBlock ? kBlockCode : count <= 256 ? 6 : 7;
    writer->bits(length << 4 | rate_.code, 8);
    writer->bits(0x08, 8);  // one channel, 16 bits
    write_number(number_, writer);
    if (length != kBlockCode) writer->bits(count - 1, length == 6 ? 8 : 16);
    if (rate_.extra_bits != 0) writer->bits(rate_.extra, rate_.extra_bits);
    std::uint8_t* end = writer->finish();
    writer->bits(flac_crc8(frame_.data(), static_cast<std::size_t>(end - frame_.data())), 8);
  }

  void write_subframe(const std::int16_t* samples, std::size_t count, BitWriter* writer) {
    unsigned any = 0;
    unsigned differing = 0;
    for (std::size_t i = 0; i < count; ++i) {
      any |= static_cast<std::uint16_t>(samples[i]);
      differing |= static_cast<std::uint16_t>(samples[i] ^ samples[0]);
    }
    if (differing == 0) {
      writer->bits(kConstantSubframe << 1, 8);
      writer->number(samples[0], kSampleBits);
      return;
    }
    const int wasted = __builtin_ctz(any);
    std::int16_t* block = samples_.data() + kBlockMargin;
    for (std::size_t i = 0; i < count; ++i) block[i] = static_cast<std::int16_t>(samples[i] >> wasted);
    std::fill(block + count, block + count + kBlockMargin, std::int16_t{0});
    write_varying(block, count, wasted, writer);
  }

  // A block whose samples are not all the same, without their `wasted` low zero bits.
  void write_varying(const std::int16_t* block, std::size_t count, int wasted, BitWriter* writer) {
    const int bits = kSampleBits - wasted;
    const Predictor predictor = search_.best(block, count, bits);
    fold_residual(predictor, block, count, folded_.data(), wide_);
    const RicePlan plan = plan_rice(folded_.data(), count, predictor.order);
    const std::uint64_t coded = plan.bits + static_cast<std::uint64_t>(predictor.overhead_bits(bits));
    if (!plan.possible || coded >= count * static_cast<std::uint64_t>(bits)) {
      write_kind(kVerbatimSubframe, wasted, writer);
      for (std::size_t i = 0; i < count; ++i) writer->number(block[i], static_cast<unsigned>(bits));
      return;
    }
    const unsigned base = predictor.fixed ? kFixedSubframe : kLinearSubframe - 1;
    write_kind(base + static_cast<unsigned>(predictor.order), wasted, writer);
    for (int i = 0; i < predictor.order; ++i) writer->number(block[i], static_cast<unsigned>(bits));
    if (!predictor.fixed) {
      writer->bits(kPrecision - 1, 4);
      writer->number(predictor.shift, 5);
      for (int i = 0; i < predictor.order; ++i) {
        writer->number(predictor.weights[static_cast<std::size_t>(i)], kPrecision);
      }
    }
    write_residual(plan, {folded_.data(), count, predictor.order}, wide_, writer);
  }

  static void write_kind(unsigned kind, int wasted, BitWriter* writer) {
    writer->bits(kind << 1 | (wasted > 0 ? 1 : 0), 8);
    if (wasted > 0) writer->unary(static_cast<std::uint32_t>(wasted - 1));
  }

  RateCode rate_;
  bool wide_;
  std::uint32_t number_ = 0;
  PredictorSearch search_;
  std::vector<std::uint8_t> frame_;
  std::vector<std::int16_t> samples_;  // of one block, with margins
  std::vector<std::uint32_t> folded_;
};

struct FrameSizes {
  std::size_t smallest;
  std::size_t largest;
};

void write_stream_info(std::uint8_t* to, std::size_t count, std::uint32_t rate_hz, const FrameSizes& sizes,
                       const Md5Digest& md5) {
  std::array<std::uint8_t, kHeaderBytes + 8> header{};
  BitWriter writer(header.data());
  writer.bits(0x664C6143, 32);  // "fLaC"
  writer.bits(0x80, 8);         // the last metadata block, STREAMINFO
  writer.bits(34, 24);          // its bytes
  writer.bits(kFlacBlock, 16);  // smallest block, the last one not counted
  writer.bits(kFlacBlock, 16);  // largest
  writer.bits(sizes.smallest, 24);
  writer.bits(sizes.largest, 24);
  writer.bits(rate_hz, 20);
  writer.bits(0, 3);  // channels - 1
  writer.bits(kSampleBits - 1, 5);
  writer.bits(count, 36);
  std::uint8_t* end = writer.finish();
  std::copy(md5.begin(), md5.end(), end);
  std::copy(header.begin(), header.begin() + kHeaderBytes, to);
}

void check(const FlacInput& sound) {
  if (sound.count == 0) {
    throw std::invalid_argument("no samples: a FLAC file of nothing says nothing; drop the clip instead");
  }
  if (sound.count >> 36 != 0) {
    throw std::invalid_argument(std::to_string(sound.count) + " samples: FLAC counts below 2^36");
  }
  if (sound.sample_rate_hz < 1 || sound.sample_rate_hz > kFlacMaxRateHz) {
    throw std::invalid_argument("a rate of " + std::to_string(sound.sample_rate_hz) +
                                " Hz: FLAC frames state 1 to " + std::to_string(kFlacMaxRateHz) + " Hz");
  }
}

std::vector<std::uint8_t> encode_checked(const FlacInput& sound, const Md5Digest& md5, bool portable) {
  const auto rate_hz = static_cast<std::uint32_t>(sound.sample_rate_hz);
  std::vector<std::uint8_t> out(kHeaderBytes);
  out.reserve(kHeaderBytes + sound.count + sound.count / 2);
  FrameWriter frames(rate_hz, !portable && has_wide_lanes());
  FrameSizes sizes{kFrameRoom, 0};
  for (std::size_t from = 0; from < sound.count; from += kFlacBlock) {
    const std::size_t size =
        frames.write(sound.samples + from, std::min(kFlacBlock, sound.count - from), &out);
    sizes = {std::min(sizes.smallest, size), std::max(sizes.largest, size)};
  }
  write_stream_info(out.data(), sound.count, rate_hz, sizes, md5);
  return out;
}

}  // namespace

std::vector<std::uint8_t> encode_flac(const std::int16_t* samples, std::size_t count,
                                      std::int64_t sample_rate_hz, bool portable) {
  const FlacInput sound{samples, count, sample_rate_hz};
  check(sound);
  Md5 md5;
  md5.update(samples, count * sizeof *samples);
  return encode_checked(sound, md5.digest(), portable);
}

std::vector<std::vector<std::uint8_t>> encode_flac_many(const std::vector<FlacInput>& sounds) {
  std::vector<Md5Message> messages;
  for (const FlacInput& sound : sounds) {
    check(sound);
    messages.push_back(
        {reinterpret_cast<const std::uint8_t*>(sound.samples), sound.count * sizeof *sound.samples});
  }
  std::vector<Md5Digest> digests(sounds.size());
  md5_many(messages.data(), messages.size(), digests.data());
  std::vector<std::vector<std::uint8_t>> files;
  for (std::size_t i = 0; i < sounds.size(); ++i) {
    files.push_back(encode_checked(sounds[i], digests[i], false));
  }
  return files;
}

}  // namespace speechmill
