// Whole FLAC files, one or several.
#include <algorithm>
#include <new>
#include <string>

#include "flac/decoder.h"
#include "flac/output.h"

namespace speechmill {
namespace {

// Memory for samples that grows as they come; what is not written is not touched.
class Growing {
public:
  explicit Growing(std::size_t likely_bytes) { grow(std::max<std::size_t>(likely_bytes, 1)); }

  std::uint8_t* room_for(std::size_t bytes) {
    if (bytes > size_ - used_) grow(std::max(used_ + bytes, size_ + size_ / 2));
    std::uint8_t* const place = static_cast<std::uint8_t*>(memory_.get()) + used_;
    used_ += bytes;
    return place;
  }

  std::size_t used() const { return used_; }

  // The memory, cut to what is used of it.
  std::unique_ptr<void, FreeMemory> take() {
    if (used_ < size_) grow(std::max<std::size_t>(used_, 1));
    return std::move(memory_);
  }

private:
  void grow(std::size_t bytes) {
    void* const memory = std::realloc(memory_.get(), bytes);
    if (memory == nullptr) throw std::bad_alloc();
    static_cast<void>(memory_.release());  // realloc has it
    memory_.reset(memory);
    size_ = bytes;
  }

  std::unique_ptr<void, FreeMemory> memory_;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
};

[[noreturn]] void refuse_size(std::uint64_t bytes, std::uint64_t most) {
  throw FlacError(FlacFault::too_big, std::to_string(bytes) + " bytes of samples and more, " +
                                          std::to_string(most) + " are allowed at once: split the recording");
}

FlacSound decode(const FlacBytes& file, std::uint64_t most_bytes, bool sum_md5) {
  FlacDecoder decoder(file.data, file.size, sum_md5);
  const FlacInfo& info = decoder.info();
  const std::size_t width = info.sample_bytes() * static_cast<std::size_t>(info.channels);
  // The header's length only where the file's bytes make it likely: constant blocks hold far more, silence
  // apart.
  const std::uint64_t likely = std::min<std::uint64_t>(info.frames * width, std::uint64_t{8} * file.size);
  Growing samples(static_cast<std::size_t>(std::min(likely, most_bytes)));
  while (const std::size_t frames = decoder.gather()) {
    if (frames * width > most_bytes - samples.used())
      refuse_size(samples.used() + frames * width, most_bytes);
    decoder.deliver(samples.room_for(frames * width));
  }
  FlacSound sound;
  sound.info = info;
  sound.frames = samples.used() / width;
  sound.samples = samples.take();
  sound.bytes = decoder.at();
  return sound;
}

}  // namespace

FlacSound decode_flac(const FlacBytes& file, std::uint64_t most_bytes) {
  return decode(file, most_bytes, true);
}

std::vector<FlacOutcome> decode_flac_many(const std::vector<FlacBytes>& files, std::uint64_t most_bytes) {
  std::vector<FlacOutcome> outcomes(files.size());
  std::vector<Md5Message> messages;
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < files.size(); ++i) {
    try {
      const FlacInfo info = read_flac_info(files[i].data, files[i].size);
      const bool later = flac::packed_in_place(info.bits);
      FlacSound& sound = outcomes[i].sound;
      sound = decode(files[i], most_bytes, !later);
      if (!later || !info.has_md5()) continue;
      const std::uint64_t bytes =
          sound.frames * info.sample_bytes() * static_cast<std::uint64_t>(info.channels);
      messages.push_back(
          {static_cast<const std::uint8_t*>(sound.samples.get()), static_cast<std::size_t>(bytes)});
      owners.push_back(i);
    } catch (const FlacError& error) {
      outcomes[i].error = error;
    }
  }
  std::vector<Md5Digest> digests(messages.size());
  md5_many(messages.data(), messages.size(), digests.data());
  for (std::size_t i = 0; i < owners.size(); ++i) {
    FlacOutcome& outcome = outcomes[owners[i]];
    if (digests[i] == outcome.sound.info.md5) continue;
    outcome.error = FlacError(FlacFault::md5, "the samples do not have the MD5 that the FLAC header states");
    outcome.sound = FlacSound();
  }
  return outcomes;
}

}  // namespace speechmill
