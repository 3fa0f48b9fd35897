#include "sphere/sphere.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "sphere/companding.h"
#include "sphere/shorten.h"

namespace speechmill {
namespace {

constexpr std::uint64_t kReadAhead = 1 << 16;

[[noreturn]] void refuse(const SphereInfo& info, const std::string& what) {
  throw SphereError("SPHERE file " + info.name + ": " + what);
}

constexpr std::array<std::int16_t, 256> table_of(std::int16_t (*expand)(std::uint8_t)) {
  std::array<std::int16_t, 256> values{};
  for (std::size_t byte = 0; byte < 256; ++byte) values[byte] = expand(static_cast<std::uint8_t>(byte));
  return values;
}

constexpr std::int16_t expand_pcm8(std::uint8_t byte) {
  return static_cast<std::int16_t>(static_cast<std::int8_t>(byte) * 256);
}

constexpr std::array<std::int16_t, 256> kUlaw = table_of(expand_ulaw);
constexpr std::array<std::int16_t, 256> kAlaw = table_of(expand_alaw);
constexpr std::array<std::int16_t, 256> kPcm8 = table_of(expand_pcm8);

// Words of 16 bits in place; returns their sum as unsigned numbers. Plain loops, so that the compiler makes
// vectors.
std::uint32_t order_words(std::int16_t* samples, std::size_t count, bool swap) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto word = static_cast<std::uint16_t>(samples[i]);
    if (swap) word = static_cast<std::uint16_t>(word << 8 | word >> 8);
    samples[i] = static_cast<std::int16_t>(word);
    sum += word;
  }
  return sum;
}

// Bytes by a table; returns their sum.
std::uint32_t expand_bytes(const std::uint8_t* bytes, std::size_t count, const std::int16_t* table,
                           std::int16_t* samples) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += bytes[i];
  for (std::size_t i = 0; i < count; ++i) samples[i] = table[bytes[i]];
  return sum;
}

void check_sum(const SphereInfo& info, std::uint32_t sum) {
  if (!info.checksum || *info.checksum == sum) return;
  throw SphereChecksumError("SPHERE file " + info.name + ": checksum mismatch: the samples sum to " +
                            std::to_string(sum) + ", the header says " + std::to_string(*info.checksum) +
                            "; the file was damaged after it was written");
}

SphereAudio read_plain(const ByteSource& source, const SphereInfo& info, const SphereSpan& span) {
  const auto [start, stop, verify] = span;
  if (info.truncated) {
    refuse(info, "truncated: " + std::to_string(info.num_samples) + " of " +
                     std::to_string(*info.declared_samples) +
                     " samples per channel are there; fetch the file again");
  }
  const auto frame = static_cast<std::uint64_t>(info.channels * info.sample_bytes);
  const std::size_t count = static_cast<std::size_t>(stop - start) * static_cast<std::size_t>(info.channels);
  SphereAudio audio;
  audio.channels = info.channels;
  audio.samples.resize(count);
  std::vector<std::uint8_t> bytes(info.sample_bytes == 1 ? count : 0);
  void* to = info.sample_bytes == 1 ? static_cast<void*>(bytes.data()) : audio.samples.data();
  const std::size_t size = count * static_cast<std::size_t>(info.sample_bytes);
  const std::uint64_t offset = info.header_bytes + static_cast<std::uint64_t>(start) * frame;
  const std::size_t got = source.read_at(offset, to, size);
  if (got != size) {
    refuse(info,
           "truncated while it was read: " + std::to_string(got) + " of " + std::to_string(size) + " bytes");
  }
  std::uint32_t sum = 0;
  if (info.sample_bytes == 2) {
    constexpr bool big_endian_here = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    sum = order_words(audio.samples.data(), count, info.big_endian != big_endian_here);
  } else {
    const auto& table = info.coding == SphereCoding::pcm    ? kPcm8
                        : info.coding == SphereCoding::ulaw ? kUlaw
                                                            : kAlaw;
    sum = expand_bytes(bytes.data(), count, table.data(), audio.samples.data());
  }
  sum &= 0xFFFF;
  if (verify && start == 0 && stop == info.num_samples) check_sum(info, sum);
  return audio;
}

// Decodes the first `bytes` of the data, or what is there of them.
ShortenAudio decode_front(const ByteSource& source, const SphereInfo& info, std::uint64_t bytes,
                          const ShortenRequest& request) {
  const auto size = static_cast<std::size_t>(bytes);
  if (source.in_memory() != nullptr)
    return decode_shorten(source.in_memory() + info.header_bytes, size, request);
  std::vector<std::uint8_t> data(size);
  data.resize(source.read_at(info.header_bytes, data.data(), data.size()));
  return decode_shorten(data.data(), data.size(), request);
}

// Shorten cannot be entered in the middle: everything up to `until` is decoded, and no more. A stretch from
// the front is read first: sound is rarely longer compressed than plain.
ShortenAudio decode_until(const ByteSource& source, const SphereInfo& info, std::int64_t until) {
  const std::int64_t declared = info.declared_samples.value_or(-1);
  const ShortenRequest request{info.name, info.channels, info.coding == SphereCoding::ulaw, until, declared};
  const std::uint64_t whole = source.size() - info.header_bytes;
  const auto frame = static_cast<std::uint64_t>(info.channels * info.sample_bytes);
  const std::uint64_t likely =
      until < 0 ? whole : kReadAhead + static_cast<std::uint64_t>(until) % (std::uint64_t{1} << 40) * frame;
  if (likely < whole) {
    try {
      return decode_front(source, info, likely, request);
    } catch (const SphereError&) {
      // Longer than plain, or damaged: the whole stream tells which.
    }
  }
  return decode_front(source, info, whole, request);
}

SphereAudio read_shorten(const ByteSource& source, const SphereInfo& info, const SphereSpan& span) {
  const auto [start, stop, verify] = span;
  const std::int64_t declared = info.declared_samples.value_or(-1);
  // To the end: then the sum is proved.
  ShortenAudio decoded = decode_until(source, info, declared >= 0 && stop >= declared ? -1 : stop);
  if (decoded.complete) {
    const bool total =
        info.channels > 1 && decoded.frames * info.channels == declared;  // counted over channels
    if (declared >= 0 && decoded.frames != declared && !total) {
      refuse(info, "truncated: the shorten stream holds " + std::to_string(decoded.frames) + " of " +
                       std::to_string(declared) + " samples per channel");
    }
    if (verify) check_sum(info, decoded.checksum);
  }
  const std::int64_t end = stop < 0 ? decoded.frames : stop;
  if (start > end || end > decoded.frames) {
    refuse(info, "samples " + std::to_string(start) + " to " + std::to_string(end) + " were asked of " +
                     std::to_string(decoded.frames) + " per channel");
  }
  SphereAudio audio;
  audio.channels = info.channels;
  audio.samples = std::move(decoded.samples);
  audio.samples.resize(static_cast<std::size_t>(end * info.channels));
  audio.samples.erase(audio.samples.begin(), audio.samples.begin() + start * info.channels);
  return audio;
}

}  // namespace

SphereAudio read_sphere(const ByteSource& source, const SphereInfo& info, const SphereSpan& span) {
  if (info.shorten) return read_shorten(source, info, span);
  const std::int64_t start = span.start;
  const std::int64_t end = span.stop < 0 ? info.num_samples : span.stop;
  if (start < 0 || start > end || end > info.num_samples) {
    if (!info.truncated) {
      refuse(info, "samples " + std::to_string(start) + " to " + std::to_string(end) + " were asked of " +
                       std::to_string(info.num_samples) + " per channel");
    }
  }
  return read_plain(source, info, {start, end, span.verify});
}

}  // namespace speechmill
