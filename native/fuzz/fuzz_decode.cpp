// Any floats as log-probabilities, with and without a lexicon: a defined answer or a DecodeError.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "native/beam_search.h"
#include "native/error.h"
#include "native/greedy.h"
#include "toy_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace speechmill;
  if (size < 2) return 0;
  static const testing::ToyDirectory toy;
  static const Scorer scorer = Scorer::load(toy.path(), {});
  const Alphabet alphabet({" ", "a", "b"}, data[0] % 4);
  const Scorer* with = data[0] % 8 < 4 ? nullptr : &scorer;
  SearchOptions options = SearchOptions::preset(data[1] % 2 == 0 ? "exact" : "fast", 1 + data[1] % 16);
  std::vector<float> rows((size - 2) / 4 / 4 * 4);
  if (!rows.empty()) std::memcpy(rows.data(), data + 2, rows.size() * sizeof(float));
  if (data[1] % 3 == 0) {  // mostly valid numbers, so that the search is reached
    for (float& value : rows) value = value <= 0.0F ? value : -value;
  }
  try {
    greedy_decode(alphabet, rows.data(), rows.size() / 4);
    BeamSearch search(alphabet, with, options);
    search.feed(rows.data(), rows.size() / 4);
    if (search.finish(3).empty()) std::abort();
  } catch (const DecodeError&) {
  }
  return 0;
}
