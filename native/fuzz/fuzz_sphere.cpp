// Any bytes as a SPHERE file: an answer of the right size or a SphereError, nothing else.
#include <cstdlib>

#include "native/error.h"
#include "native/sphere.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace speechmill;
  const MemorySource source(data, size);
  try {
    const SphereInfo info = read_sphere_info(source, "fuzz");
    const SphereAudio all = read_sphere(source, info);
    const auto channels = static_cast<std::size_t>(info.channels);
    if (all.samples.size() % channels != 0) std::abort();
    const auto frames = static_cast<std::int64_t>(all.samples.size() / channels);
    const SphereAudio part = read_sphere(source, info, frames / 3, frames / 2);
    for (std::size_t i = 0; i < part.samples.size(); ++i) {
      if (part.samples[i] != all.samples[static_cast<std::size_t>(frames / 3) * channels + i]) std::abort();
    }
  } catch (const SphereError&) {
  }
  return 0;
}
