#include "sphere/shorten.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "sphere/bit_reader.h"
#include "sphere/companding.h"

namespace speechmill {
namespace {

constexpr std::int64_t kMaxSamples = std::int64_t{1}
                                     << 29;  // over all channels; nine hours of a telephone call
constexpr std::int64_t kMaxMagnitude = std::int64_t{1} << 31;
constexpr std::int64_t kMaxCoefficient = std::int64_t{1} << 20;
constexpr std::uint64_t kTooLarge = BitReader::kTooLarge;

enum Command { kDiff0, kDiff1, kDiff2, kDiff3, kQuit, kBlockSize, kBitShift, kQlpc, kZero, kVerbatim };

constexpr std::array<std::int16_t, 256> make_ulaw() {
  std::array<std::int16_t, 256> values{};
  for (std::size_t byte = 0; byte < 256; ++byte) values[byte] = expand_ulaw(static_cast<std::uint8_t>(byte));
  return values;
}
constexpr std::array<std::int16_t, 256> kUlaw = make_ulaw();

class Decoder {
public:
  Decoder(const std::uint8_t* data, std::size_t size, const ShortenRequest& request)
      : request_(request), reader_(data, size), stream_bytes_(size) {}

  ShortenAudio run() {
    try {
      read_header();
      while (!done_ && (request_.stop < 0 || audio_.frames < request_.stop)) read_command();
    } catch (const EndOfData&) {
      const std::string expected = request_.expected >= 0 ? " of " + std::to_string(request_.expected) : "";
      refuse("truncated: the shorten stream ends after " + std::to_string(audio_.frames) + expected +
             " samples per channel; fetch the file again");
    }
    if (done_ && channel_ != 0) damaged("its last block lacks a channel");
    audio_.complete = done_;
    audio_.samples.resize(static_cast<std::size_t>(audio_.frames * request_.channels));
    return std::move(audio_);
  }

private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw SphereError("SPHERE file " + request_.name + ": " + what);
  }
  [[noreturn]] void damaged(const std::string& what) const {
    refuse("the shorten stream is damaged after " + std::to_string(audio_.frames) +
           " samples per channel: " + what);
  }

  int code_bits(std::int64_t k) const {
    if (k > 32) damaged("a code of " + std::to_string(k) + " bits");
    return static_cast<int>(k);
  }
  // uvar(k): a Rice code of k low bits.
  std::int64_t uvar(std::int64_t k) {
    const std::uint64_t value = reader_.rice(code_bits(k));
    if (value == kTooLarge) damaged("a number is too large");
    return static_cast<std::int64_t>(value);
  }
  // svar(k): the sign is the lowest bit.
  std::int64_t svar(std::int64_t k) {
    const std::int64_t u = uvar(k + 1);
    return (u & 1) != 0 ? ~(u >> 1) : u >> 1;
  }
  std::int64_t ulong() { return uvar(uvar(2)); }

  std::int64_t limited(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) const {
    if (value >= low && value <= high) return value;
    damaged(std::string(name) + " " + std::to_string(value) + " is outside " + std::to_string(low) + " to " +
            std::to_string(high));
  }

  void read_header() {
    const char mark[4] = {'a', 'j', 'k', 'g'};
    for (const char letter : mark) {
      if (reader_.bits(8) != static_cast<std::uint64_t>(letter)) damaged("its mark is not ajkg");
    }
    version_ = static_cast<int>(reader_.bits(8));
    if (version_ != 1 && version_ != 2)
      refuse("shorten version " + std::to_string(version_) + " is not 1 or 2");
    type_ = static_cast<int>(ulong());
    const bool ulaw = type_ == 0 || type_ == 8;
    if (!ulaw && type_ != 1 && type_ != 2 && type_ != 3 && type_ != 5) {
      refuse("shorten sample type " + std::to_string(type_) + " is not supported (0, 1, 2, 3, 5 and 8 are)");
    }
    if (ulaw != request_.ulaw) {
      refuse(std::string("its header says ") + (request_.ulaw ? "ulaw" : "pcm") +
             " but the shorten stream has type " + std::to_string(type_));
    }
    limited("the number of channels", ulong(), request_.channels, request_.channels);
    block_size_ = static_cast<std::size_t>(limited("the block size", ulong(), 1, 65535));
    history_ =
        static_cast<std::size_t>(std::max<std::int64_t>(3, limited("the predictor order", ulong(), 0, 64)));
    mean_count_ = static_cast<std::size_t>(limited("the number of means", ulong(), 0, 64));
    for (std::int64_t skip = limited("the number of bytes to skip", ulong(), 0, 1 << 20); skip > 0; --skip)
      uvar(7);
    const std::int64_t mean = type_ == 2 ? 0x80 : 0;
    const auto channels = static_cast<std::size_t>(request_.channels);
    buffers_.assign(channels, std::vector<std::int64_t>(history_ + block_size_, 0));
    means_.assign(channels, std::vector<std::int64_t>(std::max<std::size_t>(1, mean_count_), mean));
    make_room(channels);
  }

  // Room for what is promised at once, as far as the stream can hold it: two bits a sample, silence apart.
  void make_room(std::size_t channels) {
    const std::int64_t frames =
        request_.stop >= 0 ? request_.stop : std::max<std::int64_t>(0, request_.expected);
    const std::size_t most = std::min<std::size_t>(stream_bytes_ * 4, kMaxSamples);
    if (frames > static_cast<std::int64_t>(most)) return;
    const std::size_t wanted = (static_cast<std::size_t>(frames) + block_size_) * channels;
    audio_.samples.resize(std::min(most, wanted));
  }

  void read_command() {
    const std::int64_t command = uvar(2);
    switch (command) {
      case kQuit:
        done_ = true;
        return;
      case kBlockSize:
        if (channel_ != 0) damaged("the block size changes between channels");
        block_size_ = static_cast<std::size_t>(
            limited("the block size", ulong(), 1, static_cast<std::int64_t>(block_size_)));
        return;
      case kBitShift:
        bit_shift_ = static_cast<int>(limited("the bit shift", uvar(2), 0, request_.ulaw ? 12 : 15));
        return;
      case kVerbatim:
        for (std::int64_t count = uvar(5); count > 0; --count) uvar(8);
        return;
      default:
        if (command > kVerbatim) damaged("command " + std::to_string(command) + " is unknown");
        read_block(static_cast<Command>(command));
    }
  }

  void read_block(Command command) {
    std::int64_t* x = buffers_[channel_].data() + history_;  // x[-history_ … -1] are the samples before
    const std::int64_t offset = mean_offset();
    if (command == kZero)
      std::fill(x, x + block_size_, 0);
    else if (command == kQlpc)
      predict_linear(x, offset);
    else
      predict_difference(x, command, offset);
    if (mean_count_ > 0) push_mean(x);
    write_out(x);
    // The history is that of the unshifted block.
    std::int64_t* start = buffers_[channel_].data();
    std::memmove(start, start + block_size_, history_ * sizeof(std::int64_t));
    channel_ = (channel_ + 1) % buffers_.size();
    if (channel_ == 0) audio_.frames += static_cast<std::int64_t>(block_size_);
  }

  // The running mean of the last blocks. C++ division truncates towards zero, as the format wants.
  std::int64_t mean_offset() const {
    const std::vector<std::int64_t>& means = means_[channel_];
    if (mean_count_ == 0) return means[0];
    const auto count = static_cast<std::int64_t>(mean_count_);
    std::int64_t sum = version_ >= 2 ? count / 2 : 0;
    for (const std::int64_t mean : means) sum += mean;
    const std::int64_t offset = sum / count;
    return version_ >= 2 ? offset >> bit_shift_ : offset;
  }

  void push_mean(const std::int64_t* x) {
    const auto count = static_cast<std::int64_t>(block_size_);
    std::int64_t sum = version_ >= 2 ? count / 2 : 0;
    for (std::size_t i = 0; i < block_size_; ++i) sum += x[i];
    std::int64_t mean = sum / count;
    if (version_ >= 2) mean *= std::int64_t{1} << bit_shift_;
    std::vector<std::int64_t>& means = means_[channel_];
    means.erase(means.begin());
    means.push_back(mean);
  }

  std::int64_t bounded(std::int64_t value) const {
    if (value > -kMaxMagnitude && value < kMaxMagnitude) return value;
    damaged("a sample is out of range");
  }

  // DIFF0 … DIFF3: polynomial prediction; only DIFF0 adds the offset. Sums wrap and are judged at the end.
  void predict_difference(std::int64_t* x, Command command, std::int64_t offset) {
    const int k = code_bits(uvar(3) + 1);
    std::uint64_t outside = 0;
    if (command == kDiff0) {
      outside = residuals(x, k, [offset](const std::int64_t*) { return wrapped(offset); });
    } else if (command == kDiff1) {
      outside = residuals(x, k, [](const std::int64_t* at) { return wrapped(at[-1]); });
    } else if (command == kDiff2) {
      outside = residuals(x, k, [](const std::int64_t* at) { return 2 * wrapped(at[-1]) - wrapped(at[-2]); });
    } else {
      outside = residuals(x, k, [](const std::int64_t* at) {
        return 3 * (wrapped(at[-1]) - wrapped(at[-2])) + wrapped(at[-3]);
      });
    }
    if (outside != 0) damaged("a sample is out of range");
  }

  static std::uint64_t wrapped(std::int64_t value) { return static_cast<std::uint64_t>(value); }

  // A block of guesses and signed codes of k bits; returns 0 if every sum lies within kMaxMagnitude.
  template <typename Guess>
  std::uint64_t residuals(std::int64_t* x, int k, Guess guess) {
    BitReader reader = reader_;  // in registers
    std::uint64_t outside = 0;
    for (std::int64_t* const end = x + block_size_; x != end; ++x) {
      const std::uint64_t code = reader.rice(k);
      const std::uint64_t sum = (code >> 1 ^ (std::uint64_t{0} - (code & 1))) + guess(x);
      outside |= (code & kTooLarge) | (sum + wrapped(kMaxMagnitude)) >> 32;
      *x = static_cast<std::int64_t>(sum);
    }
    reader_ = reader;
    return outside;
  }

  // QLPC: linear prediction with coefficients in 1/32; the samples before are freed from the offset in place.
  void predict_linear(std::int64_t* x, std::int64_t offset) {
    const std::int64_t k = uvar(3);
    const auto order =
        static_cast<int>(limited("the predictor order", uvar(2), 0, static_cast<std::int64_t>(history_)));
    std::vector<std::int64_t> coefficients;
    for (int j = 0; j < order; ++j) {
      coefficients.push_back(limited("a coefficient", svar(5), -kMaxCoefficient, kMaxCoefficient));
    }
    for (int j = 1; j <= order; ++j) x[-j] = bounded(x[-j] - offset);
    for (std::size_t i = 0; i < block_size_; ++i) {
      std::int64_t sum = version_ >= 2 ? 32 : 0;
      const std::int64_t* newest = x + i;
      for (const std::int64_t coefficient : coefficients) sum += coefficient * *--newest;
      x[i] = bounded(svar(k) + (sum >> 5));
    }
    for (std::size_t i = 0; i < block_size_; ++i) x[i] = bounded(x[i] + offset);
  }

  void write_out(const std::int64_t* x) {
    const auto channels = static_cast<std::size_t>(request_.channels);
    const std::int64_t frames = audio_.frames + static_cast<std::int64_t>(block_size_);
    if (request_.expected >= 0 && frames > request_.expected) {
      refuse("the shorten stream holds more than the " + std::to_string(request_.expected) +
             " samples per channel its header tells");
    }
    if (frames * request_.channels > kMaxSamples)
      refuse("the shorten stream is too long to be decoded in one piece");
    const auto end = static_cast<std::size_t>(frames) * channels;
    if (audio_.samples.size() < end) audio_.samples.resize(std::max(end, 2 * audio_.samples.size()));
    std::int16_t* out = audio_.samples.data() + static_cast<std::size_t>(audio_.frames) * channels + channel_;
    if (request_.ulaw)
      write_ulaw(x, out);
    else if (type_ == 3 || type_ == 5)
      write_words(x, out);
    else
      write_bytes(x, out);
  }

  // Refuses a block with a sample outside low … high, naming the first.
  void check_range(const std::int64_t* x, std::int64_t low, std::int64_t high, const char* name) const {
    bool good = true;
    for (std::size_t i = 0; i < block_size_; ++i) good &= x[i] >= low && x[i] <= high;
    for (std::size_t i = 0; !good && i < block_size_; ++i) limited(name, x[i], low, high);
  }

  void write_ulaw(const std::int64_t* x, std::int16_t* out) {
    check_range(x, -128, 127, "a mu-law value");
    if (table_shift_ != bit_shift_) {
      for (int v = -128; v < 128; ++v) {
        codes_[static_cast<std::size_t>(v + 128)] = shorten_ulaw_byte(type_, bit_shift_, v);
      }
      table_shift_ = bit_shift_;
    }
    std::uint32_t sum = audio_.checksum;
    for (std::size_t i = 0; i < block_size_; ++i, out += request_.channels) {
      const std::uint8_t byte = codes_[static_cast<std::size_t>(x[i] + 128)];
      sum += byte;
      *out = kUlaw[byte];
    }
    audio_.checksum = sum & 0xFFFF;
  }

  void write_words(const std::int64_t* x, std::int16_t* out) {
    const std::int64_t scale = std::int64_t{1} << bit_shift_;
    check_range(x, -32768 / scale, 32767 / scale, "a sample");
    std::uint32_t sum = audio_.checksum;
    for (std::size_t i = 0; i < block_size_; ++i, out += request_.channels) {
      *out = static_cast<std::int16_t>(x[i] * scale);
      sum += static_cast<std::uint16_t>(*out);
    }
    audio_.checksum = sum & 0xFFFF;
  }

  void write_bytes(const std::int64_t* x, std::int16_t* out) {
    const std::int64_t scale = std::int64_t{1} << bit_shift_;
    const std::int64_t low = type_ == 1 ? -128 : 0;
    std::uint32_t sum = audio_.checksum;
    for (std::size_t i = 0; i < block_size_; ++i, out += request_.channels) {
      const std::int64_t byte = limited("a sample", x[i] * scale, low, low + 255);
      sum += static_cast<std::uint8_t>(byte);
      *out = static_cast<std::int16_t>((byte - (type_ == 1 ? 0 : 128)) * 256);
    }
    audio_.checksum = sum & 0xFFFF;
  }

  const ShortenRequest& request_;
  BitReader reader_;
  std::size_t stream_bytes_;
  ShortenAudio audio_;
  int version_ = 0;
  int type_ = 0;
  std::size_t block_size_ = 0;
  std::size_t history_ = 0;     // samples kept of the block before
  std::size_t mean_count_ = 0;  // block means kept
  int bit_shift_ = 0;           // one for all channels
  std::size_t channel_ = 0;     // of the next block
  bool done_ = false;
  int table_shift_ = -1;  // the bit shift that codes_ was made for
  std::array<std::uint8_t, 256> codes_{};
  std::vector<std::vector<std::int64_t>> buffers_;  // per channel: history, then the block
  std::vector<std::vector<std::int64_t>> means_;
};

}  // namespace

ShortenAudio decode_shorten(const std::uint8_t* data, std::size_t size, const ShortenRequest& request) {
  return Decoder(data, size, request).run();
}

}  // namespace speechmill
