// Any bytes as a .npy file or a .npz archive: arrays whose values fill their shape, or a DecodeError.
// Archives are made from the input too, so that the parser behind the checksum is reached.
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "programs/npy.h"
#include "zip_writer.h"

namespace {

void check(const speechmill::NpyArray& array) {
  std::size_t count = 1;
  for (const std::size_t side : array.shape) count *= side;
  if (count != array.values.size()) std::abort();
}

void parse_both_ways(const std::uint8_t* data, std::size_t size) {
  using namespace speechmill;
  try {
    check(parse_npy(data, size, "fuzz"));
  } catch (const DecodeError&) {
  }
  try {
    for (const NpyArray& array : parse_npz(data, size, "fuzz")) check(array);
  } catch (const DecodeError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  parse_both_ways(data, size);
  const std::string body(reinterpret_cast<const char*>(data), size);
  const std::string archive = speechmill::testing::zip_of({{"a.npy", body}});
  parse_both_ways(reinterpret_cast<const std::uint8_t*>(archive.data()), archive.size());
  return 0;
}
