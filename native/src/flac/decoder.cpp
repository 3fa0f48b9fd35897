#include "flac/decoder.h"

#include <algorithm>
#include <string>

#include "flac/bits.h"
#include "flac/crc.h"
#include "flac/frame.h"
#include "flac/output.h"
#include "flac/subframe.h"

namespace speechmill {
namespace {

using namespace flac;

constexpr std::size_t kChannelsAtOnce = 8;  // blocks are gathered until they have as many channels

// One block between gather and deliver.
struct Block {
  FrameHeader header;
  std::vector<Subframe> channels;
};

}  // namespace

class FlacDecoder::Inside {
public:
  Inside(const std::uint8_t* data, std::size_t size, bool sum_md5)
      : data_(data),
        size_(size),
        info_(read_flac_info(data, size)),
        at_(info_.audio_at),
        sum_md5_(sum_md5 && info_.has_md5()) {
    const auto channels = static_cast<std::size_t>(info_.channels);
    blocks_.resize(std::max<std::size_t>(1, kChannelsAtOnce / channels));
    for (Block& block : blocks_) block.channels.resize(channels);
  }

  const FlacInfo& info() const { return info_; }

  std::size_t at() const { return at_; }

  std::size_t gather() {
    gathered_ = 0;
    std::size_t samples = 0;
    while (gathered_ < blocks_.size() && !at_end()) {
      Block& block = blocks_[gathered_++];
      parse(&block);
      samples += block.header.block;
    }
    if (samples == 0) finish();
    return samples;
  }

  void deliver(void* samples) {
    auto* out = static_cast<std::uint8_t*>(samples);
    const std::size_t width = info_.sample_bytes() * static_cast<std::size_t>(info_.channels);
    std::vector<Subframe*> channels;
    for (std::size_t i = 0; i < gathered_; ++i) {
      for (Subframe& channel : blocks_[i].channels) channels.push_back(&channel);
    }
    restore(channels);
    for (std::size_t i = 0; i < gathered_; ++i) {
      Block& block = blocks_[i];
      decorrelate(block.header.stereo, &block.channels);
      if (!interleave(block.channels, info_.bits, out)) {
        const std::uint64_t frame = frames_ - gathered_ + i;
        throw FlacError(FlacFault::corrupt, "FLAC frame " + std::to_string(frame) + ": samples outside of " +
                                                std::to_string(info_.bits) + " bits");
      }
      if (sum_md5_) sum(out, block.header.block * static_cast<std::size_t>(info_.channels));
      out += block.header.block * width;
    }
  }

private:
  [[noreturn]] void refuse(const std::string& what, FlacFault fault = FlacFault::corrupt) const {
    throw FlacError(fault, frame_place(frames_, at_, size_) + what);
  }

  // Whether no block is left: the declared total is reached, or nothing but padding follows where none is
  // declared.
  bool at_end() const {
    if (info_.frames != 0) {
      if (done_ < info_.frames && at_ < size_) return false;
      check_end();
      return true;
    }
    const std::uint8_t* const rest = data_ + at_;
    const std::size_t left = size_ - at_;
    const bool tag = left == 128 && std::equal(rest, rest + 3, "TAG");  // ID3v1
    return tag || std::all_of(rest, rest + left, [](std::uint8_t byte) { return byte == 0; });
  }

  void check_end() const {
    if (done_ < info_.frames) {
      throw FlacError(FlacFault::truncated, std::to_string(done_) + " frames decoded of " +
                                                std::to_string(info_.frames) + " declared: cut short");
    }
    FrameHeader header;
    if (at_ < size_ && read_frame_header(data_ + at_, size_ - at_, &header).reason == nullptr) {
      refuse("it follows behind the " + std::to_string(info_.frames) + " samples that the header declares");
    }
  }

  void parse(Block* block) {
    const std::uint8_t* const start = data_ + at_;
    const std::size_t left = size_ - at_;
    const HeaderFault fault = read_frame_header(start, left, &block->header);
    if (fault.reason != nullptr) refuse(fault.reason);
    check_header(block->header);
    Bits bits(start + block->header.bytes, left - block->header.bytes);
    try {
      parse_channels(&bits, block);
      if (!bits.skip_to_byte()) refuse("the bits that fill its last byte are not 0");
      const std::size_t bytes = block->header.bytes + bits.byte_position();
      if (flac_crc16(start, bytes) != bits.take(16)) refuse("its CRC-16 does not agree: damaged");
      at_ += bytes + 2;
    } catch (const EndOfBits&) {
      refuse("the data end inside it: cut short or damaged");
    } catch (const ResidualTooLarge&) {
      refuse("a residual is too large: damaged");
    } catch (const Forbidden& forbidden) {
      refuse(std::string(forbidden.reason) + ": damaged");
    }
    ++frames_;
    done_ += block->header.block;
  }

  void parse_channels(Bits* bits, Block* block) {
    const FrameHeader& header = block->header;
    for (std::size_t i = 0; i < block->channels.size(); ++i) {
      const bool side =
          header.stereo != Stereo::independent && i == (header.stereo == Stereo::side_right ? 0U : 1U);
      parse_subframe(bits, header.block, info_.bits + (side ? 1 : 0), &block->channels[i]);
    }
  }

  void check_header(const FrameHeader& header) {
    if (header.sample_rate_hz != 0) same("sample rate", header.sample_rate_hz, info_.sample_rate_hz);
    if (header.bits != 0) same("bits per sample", header.bits, info_.bits);
    same("channels", header.channels, info_.channels);
    if (frames_ == 0) begin(header);
    if (header.variable != variable_) refuse("the kind of its number differs from that of the first frame");
    const std::uint64_t expected = first_number_ + (variable_ ? done_ : frames_);
    if (header.number != expected) {
      refuse("it has the number " + std::to_string(header.number) + ", " + std::to_string(expected) +
             " was expected: frames are missing or in another order");
    }
    if (info_.max_block != 0 && header.block > info_.max_block) {
      refuse("a block of " + std::to_string(header.block) + " samples; the header allows " +
             std::to_string(info_.max_block));
    }
    // Only the last block may be shorter than the others.
    if (short_block_) refuse("it follows a block that is shorter than the header allows");
    short_block_ = header.block < (variable_ ? info_.min_block : block_);
    if (!variable_ && header.block > block_) refuse("its block is longer than those before");
    if (info_.frames != 0 && header.block > info_.frames - done_) {
      refuse("its block ends behind the " + std::to_string(info_.frames) +
             " samples that the header declares");
    }
  }

  // What the first frame says for all.
  void begin(const FrameHeader& header) {
    variable_ = header.variable;
    block_ = header.block;
    // A recorded stream may begin anywhere, but then it states neither length nor sum.
    if (info_.frames == 0 && !info_.has_md5()) first_number_ = header.number;
    if (header.block < info_.min_block && info_.frames != header.block && info_.frames != 0) {
      refuse("a block of " + std::to_string(header.block) + " samples; the header says at least " +
             std::to_string(info_.min_block));
    }
  }

  void same(const char* what, int found, int expected) const {
    if (found == expected) return;
    refuse(std::string(what) + ": " + std::to_string(found) + ", but the file's header says " +
           std::to_string(expected));
  }

  void sum(const void* samples, std::size_t count) {
    if (packed_in_place(info_.bits)) {
      md5_.update(samples, count * info_.sample_bytes());
      return;
    }
    pack(samples, count, info_.bits, &packed_);
    md5_.update(packed_.data(), packed_.size());
  }

  void finish() {
    if (!sum_md5_) return;
    sum_md5_ = false;
    if (md5_.digest() == info_.md5) return;
    throw FlacError(FlacFault::md5, "the samples do not have the MD5 that the FLAC header states");
  }

  const std::uint8_t* data_;
  std::size_t size_;
  FlacInfo info_;
  std::size_t at_;  // byte of the next frame
  bool sum_md5_;
  std::uint64_t frames_ = 0;  // blocks parsed
  std::uint64_t done_ = 0;    // samples per channel in them
  std::uint64_t first_number_ = 0;
  std::uint32_t block_ = 0;
  bool variable_ = false;
  bool short_block_ = false;
  std::vector<Block> blocks_;
  std::size_t gathered_ = 0;
  Md5 md5_;
  std::vector<std::uint8_t> packed_;
};

FlacDecoder::FlacDecoder(const std::uint8_t* data, std::size_t size, bool sum_md5)
    : inside_(std::make_unique<Inside>(data, size, sum_md5)) {}

FlacDecoder::~FlacDecoder() = default;

const FlacInfo& FlacDecoder::info() const {
  return inside_->info();
}

std::size_t FlacDecoder::at() const {
  return inside_->at();
}

std::size_t FlacDecoder::gather() {
  return inside_->gather();
}

void FlacDecoder::deliver(void* samples) {
  inside_->deliver(samples);
}

}  // namespace speechmill
