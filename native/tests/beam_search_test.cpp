#include "search/beam_search.h"

#include <random>

#include "base/error.h"
#include "check.h"
#include "search/batch.h"
#include "search/greedy.h"
#include "search/log_add.h"
#include "toy_model.h"

using namespace speechmill;
using testing::ToyDirectory;

namespace {

// Random normalised rows; `sharpness` spreads the logits.
std::vector<float> random_rows(unsigned seed, std::size_t frames, std::size_t labels, double sharpness) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal(0.0, sharpness);
  std::vector<float> rows;
  for (std::size_t t = 0; t < frames; ++t) {
    std::vector<double> logits(labels);
    double sum = 0.0;
    for (double& logit : logits) sum += std::exp(logit = normal(generator));
    for (const double logit : logits) rows.push_back(static_cast<float>(logit - std::log(sum)));
  }
  return rows;
}

void adds_logarithms() {
  CHECK_NEAR(log_add(std::log(0.25F), std::log(0.5F)), std::log(0.75), 1e-6);
  CHECK_EQUAL(log_add(kImpossible, -1.0F), -1.0F);
  CHECK_EQUAL(log_add(kImpossible, kImpossible), kImpossible);
}

void nothing_gives_an_empty_text() {
  const ToyDirectory toy;
  const Scorer scorer = Scorer::load(toy.path(), {});
  for (const Scorer* with : {static_cast<const Scorer*>(nullptr), &scorer}) {
    BeamSearch search(toy.alphabet(), with, {});
    CHECK_EQUAL(search.finish()[0].text, "");
    const float silence[] = {-20.0F, -20.0F, -20.0F, 0.0F};
    for (int t = 0; t < 50; ++t) search.feed(silence, 1);
    CHECK_EQUAL(search.finish()[0].text, "");
    CHECK(search.finish()[0].timesteps.empty());
  }
}

void pieces_give_the_same_as_the_whole() {
  const ToyDirectory toy;
  const Scorer scorer = Scorer::load(toy.path(), {});
  for (unsigned seed = 0; seed < 20; ++seed) {
    const std::vector<float> rows = random_rows(seed, 60, 4, 3.0);
    SearchOptions options;
    options.beam_width = 8;
    BeamSearch whole(toy.alphabet(), &scorer, options);
    whole.feed(rows.data(), 60);
    BeamSearch pieces(toy.alphabet(), &scorer, options);
    for (std::size_t t = 0; t < 60; t += seed % 7 + 1) {
      pieces.finish(3);
      pieces.feed(rows.data() + 4 * t, std::min<std::size_t>(seed % 7 + 1, 60 - t));
    }
    CHECK_EQUAL(whole.finish()[0].text, pieces.finish()[0].text);
    CHECK_EQUAL(whole.finish()[0].score, pieces.finish()[0].score);
  }
}

void writes_only_words_of_the_lexicon() {
  const ToyDirectory toy;
  const Scorer scorer = Scorer::load(toy.path(), {});
  for (unsigned seed = 0; seed < 200; ++seed) {
    const std::vector<float> rows = random_rows(seed, 30, 4, 4.0);
    SearchOptions options;
    options.beam_width = 1 + seed % 5;  // narrow: the last word is often cut off
    BeamSearch search(toy.alphabet(), &scorer, options);
    search.feed(rows.data(), 30);
    const Hypothesis best = search.finish()[0];
    for (const WordTime& word : best.words) {
      CHECK(word.word == "a" || word.word == "ab" || word.word == "b" || word.word == "ba");
    }
    CHECK_EQUAL(best.timesteps.size(), best.text.size());
    for (std::size_t i = 1; i < best.timesteps.size(); ++i) CHECK(best.timesteps[i] > best.timesteps[i - 1]);
  }
}

void memory_does_not_grow_with_the_audio() {
  const ToyDirectory toy;
  const Scorer scorer = Scorer::load(toy.path(), {});
  SearchOptions options;
  options.beam_width = 20;
  BeamSearch search(toy.alphabet(), &scorer, options);
  const std::vector<float> rows = random_rows(1, 500, 4, 3.0);
  for (int i = 0; i < 10; ++i) search.feed(rows.data(), 500);
  const Hypothesis best = search.finish()[0];
  CHECK(search.usage().prefixes < best.text.size() + 2000);
  CHECK(search.usage().times < best.text.size() + 2000);
}

void impossible_frames_are_passed_over() {
  const ToyDirectory toy;
  const Scorer scorer = Scorer::load(toy.path(), {});
  const float only_a[] = {kImpossible, 0.0F, kImpossible, kImpossible};
  const float only_blank[] = {kImpossible, kImpossible, kImpossible, 0.0F};
  BeamSearch search(toy.alphabet(), &scorer, {});
  for (const float* row : {only_a, only_blank, only_a, only_a}) search.feed(row, 1);  // "aa" is no word
  CHECK_EQUAL(search.finish()[0].text, "a");
  const float nothing[] = {kImpossible, kImpossible, kImpossible, kImpossible};
  search.feed(nothing, 1);
  search.feed(only_blank, 1);
  CHECK_EQUAL(search.finish()[0].text, "a");
}

void refuses_what_is_no_probability() {
  const Alphabet alphabet({" ", "a", "b"});
  BeamSearch search(alphabet, nullptr, {});
  const float nan[] = {0.0F, std::nanf(""), 0.0F, 0.0F};
  CHECK_THROWS(DecodeError, search.feed(nan, 1), "frame 0", "label 1", "NaN");
  const float high[] = {0.0F, -1.0F, 3.5F, 0.0F};
  CHECK_THROWS(DecodeError, search.feed(high, 1), "label 2", "3.5", "log_softmax");
  const float infinite[] = {0.0F, -1.0F, 0.0F, -kImpossible};
  CHECK_THROWS(DecodeError, greedy_decode(alphabet, infinite, 1), "label 3", "inf");
  CHECK_THROWS(DecodeError, SearchOptions::preset("best", 10), "best", "exact, default and fast");
  SearchOptions none;
  none.beam_width = 0;
  CHECK_THROWS(DecodeError, BeamSearch(alphabet, nullptr, none), "beam_width");
  const ToyDirectory toy;
  const Scorer scorer = Scorer::load(toy.path(), {});
  const Alphabet other({" ", "b", "a"});
  CHECK_THROWS(DecodeError, BeamSearch(other, &scorer, {}), "alphabet");
}

void threads_do_not_change_the_answer() {
  const ToyDirectory toy;
  const Scorer scorer = Scorer::load(toy.path(), {});
  const std::vector<float> rows = random_rows(3, 40 * 12, 4, 3.0);
  const Batch batch{rows.data(), 12, 40, 4, {40, 0, 1, 7, 40, 39, 2, 3, 20, 21, 40, 40}};
  const auto one = decode_batch(batch, toy.alphabet(), &scorer, SearchOptions::preset("default", 10), 3, 1);
  const auto four = decode_batch(batch, toy.alphabet(), &scorer, SearchOptions::preset("default", 10), 3, 4);
  for (std::size_t i = 0; i < 12; ++i) {
    CHECK_EQUAL(one[i].size(), four[i].size());
    CHECK_EQUAL(one[i][0].text, four[i][0].text);
    CHECK_EQUAL(one[i][0].score, four[i][0].score);
  }
  const Batch bad{rows.data(), 12, 40, 4, {41, 0, 1, 7, 40, 39, 2, 3, 20, 21, 40, 40}};
  CHECK_THROWS(DecodeError, decode_batch(bad, toy.alphabet(), nullptr, {}, 1, 1), "length 41", "utterance 0");
}

}  // namespace

int main() {
  return testing::run_tests({{"adds_logarithms", adds_logarithms},
                             {"nothing_gives_an_empty_text", nothing_gives_an_empty_text},
                             {"pieces_give_the_same_as_the_whole", pieces_give_the_same_as_the_whole},
                             {"writes_only_words_of_the_lexicon", writes_only_words_of_the_lexicon},
                             {"memory_does_not_grow_with_the_audio", memory_does_not_grow_with_the_audio},
                             {"impossible_frames_are_passed_over", impossible_frames_are_passed_over},
                             {"refuses_what_is_no_probability", refuses_what_is_no_probability},
                             {"threads_do_not_change_the_answer", threads_do_not_change_the_answer}});
}
