// Any bytes as a .npy file: an array whose values fill its shape, or a DecodeError.
#include <cstdlib>

#include "base/error.h"
#include "programs/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace speechmill;
  try {
    const NpyArray array = parse_npy(data, size, "fuzz");
    std::size_t count = 1;
    for (const std::size_t side : array.shape) count *= side;
    if (count != array.values.size()) std::abort();
  } catch (const DecodeError&) {
  }
  return 0;
}
