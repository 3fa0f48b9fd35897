// Any bytes as a shorten stream of one to four channels: as many samples as it says, up to the end of the
// block in which it is stopped, or a SphereError.
#include <cstdlib>

#include "base/error.h"
#include "sphere/shorten.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace speechmill;
  if (size < 2) return 0;
  ShortenRequest request;
  request.name = "fuzz";
  request.channels = 1 + data[0] % 4;
  request.ulaw = data[0] % 8 < 4;
  request.stop = data[1] % 4 == 0 ? data[1] : -1;
  request.expected = data[1] % 3 == 0 ? 16 * data[1] : -1;
  try {
    const ShortenAudio audio = decode_shorten(data + 2, size - 2, request);
    const auto samples = static_cast<std::int64_t>(audio.samples.size());
    if (samples != audio.frames * request.channels) std::abort();
    if (request.stop >= 0 && !audio.complete && audio.frames < request.stop) std::abort();
    if (request.stop >= 0 && audio.frames > request.stop + 65534) std::abort();  // a block beyond it at most
  } catch (const SphereError&) {
  }
  return 0;
}
