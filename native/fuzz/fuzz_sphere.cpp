// Any bytes as a SPHERE file: an answer of the right size or a SphereError, nothing else. Unless the input is
// a file of its own, its first byte picks a true header, so that the sample decoders are reached at once.
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/error.h"
#include "sphere/sphere.h"

namespace {

std::string with_header(const std::uint8_t* data, std::size_t size) {
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const unsigned pick = data[0];
  std::string lines = "sample_rate -i 8000\nchannel_count -i " + std::to_string(1 + pick % 2) + "\n";
  const bool ulaw = pick % 4 < 2;
  const bool shorten = pick % 8 < 6;
  lines += std::string("sample_coding -s4 ") + (ulaw ? "ulaw" : "pcm ") + "\n";
  if (pick % 16 < 8) lines += "sample_count -i 1000\n";
  std::string file = "NIST_1A\n   1024\n" + lines + "end_head\n";
  file.resize(1024, ' ');
  return file + (shorten ? std::string("ajkg") + static_cast<char>(1 + pick % 2) : "") + body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace speechmill;
  if (size == 0) return 0;
  const bool whole = size > 4 && std::memcmp(data, "NIST", 4) == 0;
  const std::string file =
      whole ? std::string(reinterpret_cast<const char*>(data), size) : with_header(data, size);
  const MemorySource source(file.data(), file.size());
  try {
    const SphereInfo info = read_sphere_info(source, "fuzz");
    if (info.sample_rate_hz < 1) std::abort();
    const SphereAudio all = read_sphere(source, info);
    const auto channels = static_cast<std::size_t>(info.channels);
    if (all.samples.size() % channels != 0) std::abort();
    const auto frames = static_cast<std::int64_t>(all.samples.size() / channels);
    const SphereAudio part = read_sphere(source, info, {frames / 3, frames / 2});
    for (std::size_t i = 0; i < part.samples.size(); ++i) {
      if (part.samples[i] != all.samples[static_cast<std::size_t>(frames / 3) * channels + i]) std::abort();
    }
  } catch (const SphereError&) {
  }
  return 0;
}
