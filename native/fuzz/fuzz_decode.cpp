// Any floats as log-probabilities of letters or pieces, with and without a lexicon, hot words and an open
// vocabulary: a DecodeError or a defined answer, which is the same when the frames come in two pieces.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "base/error.h"
#include "search/beam_search.h"
#include "search/greedy.h"
#include "toy_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace speechmill;
  if (size < 2) return 0;
  static const testing::ToyDirectory toy;
  static const Scorer scorer = Scorer::load(toy.path(), {});
  const int blank = data[0] % 4;
  const std::string mark(kBeginMark);
  const Alphabet alphabet = data[0] < 128 ? Alphabet({" ", "a", "b"}, blank)
                            : data[0] < 192
                                ? Alphabet::of_pieces({mark, mark + "a", "b"}, PieceMark::kBegin, blank)
                                : Alphabet::of_pieces({"ba", "##b", "##a"}, PieceMark::kContinue, blank);
  const Scorer* with = data[0] % 8 < 4 ? nullptr : &scorer;
  SearchOptions options = SearchOptions::preset(data[1] % 2 == 0 ? "exact" : "fast", 1 + data[1] % 16);
  std::vector<float> rows((size - 2) / 4 / 4 * 4);
  if (!rows.empty()) std::memcpy(rows.data(), data + 2, rows.size() * sizeof(float));
  if (data[1] % 3 == 0) {  // mostly valid numbers, so that the search is reached
    for (float& value : rows) value = value <= 0.0F ? value : -value;
  }
  try {
    options.open_vocabulary = with != nullptr && data[0] % 16 < 8;
    if (data[0] % 32 < 16) {
      options.hot_words = std::make_shared<const HotWords>(
          std::vector<std::pair<std::string, float>>{{"a b", 2.0F}, {"ba", -1.0F}, {"ab ab a", 5.0F}},
          alphabet);
    }
    greedy_decode(alphabet, rows.data(), rows.size() / 4);
    BeamSearch search(alphabet, with, options);
    search.feed(rows.data(), rows.size() / 4);
    const std::vector<Hypothesis> whole = search.finish(3);
    if (whole.empty()) std::abort();
    BeamSearch pieces(alphabet, with, options);
    const std::size_t cut = data[1] % (rows.size() / 4 + 1);
    pieces.feed(rows.data(), cut);
    pieces.finish(2);
    pieces.feed(rows.data() + 4 * cut, rows.size() / 4 - cut);
    const std::vector<Hypothesis> again = pieces.finish(3);
    if (again.size() != whole.size()) std::abort();
    for (std::size_t i = 0; i < again.size(); ++i) {
      if (again[i].text != whole[i].text || again[i].timesteps != whole[i].timesteps) std::abort();
      const std::vector<int>& times = whole[i].timesteps;
      if (std::adjacent_find(times.begin(), times.end(), std::greater_equal<>()) != times.end()) std::abort();
    }
  } catch (const DecodeError&) {
  }
  return 0;
}
