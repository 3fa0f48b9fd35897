// Any numbers as a batch, its label count and lengths among them: answers in order of their scores, the same
// over two threads and over pieces of any size, or a DecodeError.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "search/batch.h"
#include "toy_model.h"

namespace {

using namespace speechmill;

constexpr std::size_t kHeader = 8;

// The rest of the input as floats. Most inputs become negative numbers, so that the search is reached.
std::vector<float> floats_of(const std::uint8_t* data, std::size_t size, bool mend) {
  std::vector<float> values(size / 4);
  if (!values.empty()) std::memcpy(values.data(), data, values.size() * sizeof(float));
  for (float& value : values) {
    if (mend && !(value <= 0.0F)) value = value > 0.0F ? -value : -1.0F;
  }
  return values;
}

void check_equal(const std::vector<Hypothesis>& a, const std::vector<Hypothesis>& b) {
  if (a.size() != b.size()) std::abort();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].text != b[i].text || a[i].score != b[i].score) std::abort();
  }
}

// The first utterance once more, in pieces of `piece` frames.
std::vector<Hypothesis> in_pieces(const Batch& batch, BeamSearch* search, std::size_t piece,
                                  std::size_t n_best) {
  for (std::size_t done = 0; done < batch.lengths[0]; done += piece) {
    search->feed(batch.log_probs + done * batch.labels, std::min(piece, batch.lengths[0] - done));
  }
  return search->finish(n_best);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kHeader) return 0;
  static const testing::ToyDirectory toy;
  static const Scorer scorer = Scorer::load(toy.path(), {});
  const std::vector<float> values = floats_of(data + kHeader, size - kHeader, data[0] % 4 != 0);
  Batch batch;
  batch.log_probs = values.data();
  batch.labels = data[1] % 16 == 0 ? data[1] / 16 : 4;
  batch.utterances = 1 + data[2] % 3;
  batch.frames = batch.labels == 0 ? 0 : values.size() / batch.labels / batch.utterances;
  for (std::size_t i = 0; i < batch.utterances; ++i) {
    const bool too_long = data[3] == i;
    batch.lengths.push_back(too_long ? batch.frames + 1 : batch.frames * (data[4] % 5) / 4);
  }
  if (data[5] == 0) batch.lengths.pop_back();
  const char* const modes[] = {"exact", "default", "fast"};
  SearchOptions options = SearchOptions::preset(modes[data[6] % 3], 1 + data[6] / 8);
  const Scorer* with = data[7] % 2 == 0 ? nullptr : &scorer;
  options.open_vocabulary = with != nullptr && data[7] / 8 % 2 == 1;
  const std::size_t n_best = 1 + data[7] / 2 % 4;
  try {
    const auto one = decode_batch(batch, toy.alphabet(), with, options, n_best, 1);
    const auto two = decode_batch(batch, toy.alphabet(), with, options, n_best, 2);
    for (std::size_t i = 0; i < one.size(); ++i) {
      check_equal(one[i], two[i]);
      if (one[i].empty() || one[i].size() > n_best) std::abort();
      for (std::size_t n = 1; n < one[i].size(); ++n) {
        if (one[i][n].score > one[i][n - 1].score) std::abort();
      }
    }
    BeamSearch search(toy.alphabet(), with, options);
    check_equal(one[0], in_pieces(batch, &search, 1 + data[4] / 5, n_best));
  } catch (const DecodeError&) {
  }
  return 0;
}
