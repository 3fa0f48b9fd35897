// Any decoder settings, hot words and alphabet, as binding, program and TensorFlow op hand them on: a
// DecodeError, an AlphabetError or a search whose scores are numbers, whose labels' times rise and whose
// words do not overlap.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "programs/decode_options.h"
#include "search/settings.h"
#include "toy_model.h"

namespace {

using namespace speechmill;

// Numbers and texts out of the input, zeros and nothing where it ends.
class Reader {
public:
  Reader(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  std::uint8_t byte() { return at_ < size_ ? data_[at_++] : std::uint8_t{0}; }
  float number() {
    char bytes[4];
    for (char& one : bytes) one = static_cast<char>(byte());
    float value = 0.0F;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }
  std::string text(std::size_t most) {
    std::string found;
    for (std::size_t left = byte() % (most + 1); left > 0 && at_ < size_; --left)
      found += static_cast<char>(byte());
    return found;
  }

private:
  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

void check(const std::vector<Hypothesis>& answers) {
  if (answers.empty()) std::abort();
  for (const Hypothesis& answer : answers) {
    if (std::isnan(answer.score)) std::abort();
    for (std::size_t i = 1; i < answer.timesteps.size(); ++i) {
      if (answer.timesteps[i] <= answer.timesteps[i - 1]) std::abort();
    }
    for (std::size_t i = 1; i < answer.words.size(); ++i) {
      if (answer.words[i].start_frame < answer.words[i - 1].end_frame) std::abort();
    }
  }
}

void parse_arguments(Reader* input) {
  std::vector<std::string> arguments;
  for (int i = input->byte() % 6; i > 0; --i) arguments.push_back(input->text(24));
  try {
    parse_command(arguments);
  } catch (const UsageError&) {
  }
}

void decode(Reader* input, const Scorer& scorer) {
  DecoderSettings settings;
  settings.mode = input->byte() % 3 == 0 ? "exact" : input->byte() % 2 == 0 ? "fast" : "default";
  const std::uint8_t given = input->byte();
  for (const Setting& setting : decoder_settings()) {
    if (given % 3 == 0) continue;
    const double value = setting.whole ? input->byte() : static_cast<double>(input->number());
    setting.put(&settings, checked(setting, value));
  }
  settings.beam_width = settings.beam_width % 24 + 1;
  const bool with = given % 2 == 0;
  const Alphabet alphabet =
      given % 16 == 15 ? Alphabet::parse(input->text(40), "fuzz", -1) : Alphabet({" ", "a", "b"}, 3);
  settings.open_vocabulary = with && given % 4 == 0;
  SearchOptions options = search_options(settings, with);
  std::vector<std::pair<std::string, float>> phrases;
  for (int i = input->byte() % 4; i > 0; --i) phrases.emplace_back(input->text(8), input->number());
  if (!phrases.empty()) options.hot_words = std::make_shared<const HotWords>(phrases, alphabet);
  const Scorer weighted = scorer.with_weights({settings.alpha, settings.beta});
  BeamSearch found(alphabet, with ? &weighted : nullptr, options);
  std::vector<float> row(alphabet.size());
  for (int frame = 0; frame < 150; ++frame) {
    for (float& value : row) value = -0.05F * static_cast<float>(input->byte());
    found.feed(row.data(), 1);
    if (frame % 50 == 49) check(found.finish(3));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const testing::ToyDirectory toy;
  static const Scorer scorer = Scorer::load(toy.path(), {});
  Reader input(data, size);
  parse_arguments(&input);
  try {
    decode(&input, scorer);
  } catch (const DecodeError&) {
  } catch (const AlphabetError&) {
  } catch (const ScorerError&) {
  }
  return 0;
}
