// The exact search against the definition: for thousands of small random cases, every text's probability is
// summed over every alignment one by one, and scored by the formula of beam_search.h. Nothing is shared with
// the search but the language model's own numbers.
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/utf8.h"
#include "check.h"
#include "search/beam_search.h"
#include "toy_model.h"

using namespace speechmill;
using testing::ToyDirectory;

namespace {

constexpr std::size_t kNeverFull = 100000;
constexpr std::size_t kAll = 1000000;
using Phrases = std::vector<std::pair<std::string, float>>;

std::vector<float> random_rows(std::mt19937* random, std::size_t frames, std::size_t labels) {
  const double spreads[] = {0.5, 2.0, 6.0};
  std::normal_distribution<double> normal(0.0, spreads[(*random)() % 3]);
  std::vector<float> rows;
  for (std::size_t t = 0; t < frames; ++t) {
    std::vector<double> logits(labels);
    double sum = 0.0;
    for (double& logit : logits) sum += std::exp(logit = normal(*random));
    for (const double logit : logits) rows.push_back(static_cast<float>(logit - std::log(sum)));
  }
  return rows;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// P(text) of every text, alignment by alignment.
std::map<std::string, double> masses_of(const Alphabet& alphabet, const std::vector<float>& rows) {
  const std::size_t labels = alphabet.size();
  const std::size_t frames = rows.size() / labels;
  std::map<std::string, double> masses;
  std::vector<std::size_t> path(frames, 0);
  while (true) {
    double mass = 0.0;
    std::string spelled;
    for (std::size_t t = 0; t < frames; ++t) {
      mass += static_cast<double>(rows[t * labels + path[t]]);
      if (t > 0 && path[t] == path[t - 1]) continue;
      spelled += alphabet.label(static_cast<int>(path[t]));
    }
    std::string text;
    for (const std::string& word : words_of(spelled)) text += (text.empty() ? "" : " ") + word;
    masses[text] += std::exp(mass);
    std::size_t t = 0;
    while (t < frames && ++path[t] == labels) path[t++] = 0;
    if (t == frames) return masses;
  }
}

struct Model {
  const Scorer* scorer = nullptr;
  std::set<std::string> lexicon;
  bool characters = false;
};

// The tokens that the language model scores.
std::vector<std::string> tokens_of(const std::string& text, bool characters) {
  if (!characters) return words_of(text);
  std::vector<std::string> tokens;
  for (const char letter : text)
    tokens.push_back(letter == ' ' ? std::string(kSpaceWord) : std::string(1, letter));
  return tokens;
}

double boosts_in(const std::string& text, const Phrases& phrases) {
  double sum = 0.0;
  const std::string spaced = " " + text + " ";
  for (const auto& [phrase, boost] : phrases) {
    for (std::size_t at = 0; (at = spaced.find(" " + phrase + " ", at)) != std::string::npos; ++at)
      sum += static_cast<double>(boost);
  }
  return sum;
}

// score(text), or NaN when the text may not be written.
double score_of(const std::string& text, double mass, const Model& model, const SearchOptions& options,
                const Phrases& phrases) {
  double score = std::log(mass) + boosts_in(text, phrases);
  if (model.scorer == nullptr) return score;
  const LanguageModel& lm = model.scorer->model();
  LmState state = lm.start();
  double sum = 0.0;
  for (const std::string& token : tokens_of(text, model.characters)) {
    const bool known = model.lexicon.count(token) != 0;
    if (!known && !options.open_vocabulary) return std::nan("");
    LmState next;
    sum += static_cast<double>(lm.score(state, known ? lm.word_index(token) : 0, &next));
    state = next;
    score += static_cast<double>(model.scorer->beta());
    if (known) continue;
    const double spelled =
        static_cast<double>(options.oov_letter_penalty) * static_cast<double>(token.size());
    score += static_cast<double>(options.oov_penalty) + static_cast<double>(model.scorer->alpha()) * spelled;
  }
  return score + static_cast<double>(model.scorer->alpha()) * (sum + static_cast<double>(lm.finish(state)));
}

// One random case: the search must give every text once, with its score, best first.
void check_case(const Alphabet& alphabet, const Model& model, SearchOptions options, const Phrases& phrases,
                const std::vector<float>& rows) {
  options.beam_width = kNeverFull;
  if (!phrases.empty()) options.hot_words = std::make_shared<const HotWords>(phrases, alphabet);
  BeamSearch search(alphabet, model.scorer, options);
  search.feed(rows.data(), rows.size() / alphabet.size());
  const std::vector<Hypothesis> answers = search.finish(kAll);
  std::map<std::string, double> expected;
  for (const auto& [text, mass] : masses_of(alphabet, rows)) {
    const double score = score_of(text, mass, model, options, phrases);
    if (!std::isnan(score)) expected[text] = score;
  }
  CHECK_EQUAL(answers.size(), expected.size());
  double before = std::numeric_limits<double>::infinity();
  for (const Hypothesis& answer : answers) {
    CHECK(expected.count(answer.text) == 1);
    CHECK_NEAR(answer.score, expected[answer.text], 2e-4);
    CHECK_NEAR(
        answer.score,
        answer.acoustic + answer.lm_score + answer.word_score + answer.oov_score + answer.hot_word_score,
        2e-4);
    CHECK(static_cast<double>(answer.score) <= before);
    before = static_cast<double>(answer.score);
    for (const WordTime& word : answer.words) CHECK(word.confidence >= 0.0F && word.confidence <= 1.0F);
  }
}

Phrases random_phrases(std::mt19937* random) {
  const Phrases all = {{"a", 1.5F},    {"ab", 2.0F},      {"a b", 3.0F},
                       {"b a", -1.0F}, {"ba ab a", 4.0F}, {"b", 0.5F}};
  Phrases some;
  for (const auto& phrase : all) {
    if ((*random)() % 3 == 0) some.push_back(phrase);
  }
  return some;
}

Weights random_weights(std::mt19937* random) {
  std::uniform_real_distribution<float> alpha(0.0F, 3.0F);
  std::uniform_real_distribution<float> beta(-2.0F, 4.0F);
  return {alpha(*random), beta(*random)};
}

void without_a_model() {
  std::mt19937 random(1);
  for (int i = 0; i < 700; ++i) {
    const std::vector<std::string> labels =
        i % 2 == 0 ? std::vector<std::string>{" ", "a", "b"} : std::vector<std::string>{"a", " ", "b"};
    const Alphabet alphabet(labels, static_cast<int>(random() % 4));
    check_case(alphabet, {}, {}, i % 3 == 0 ? random_phrases(&random) : Phrases{},
               random_rows(&random, random() % 6, 4));
  }
}

void without_spaces() {
  std::mt19937 random(2);
  const Alphabet alphabet({"a", "b", "c"});
  for (int i = 0; i < 300; ++i) check_case(alphabet, {}, {}, {}, random_rows(&random, random() % 6, 4));
}

void words(NodeKind kind, bool open, bool hot) {
  const ToyDirectory toy;
  const std::string path = toy.path() + "/other.trie";
  build_lexicon_trie({"a", "ab", "b", "ba"},
                     {&toy.alphabet(), toy.path() + "/lm.binary", {}, LmUnit::kWords, kind}, path);
  const auto lm = LanguageModel::load(toy.path() + "/lm.binary");
  const auto trie = std::make_shared<const LexiconTrie>(LexiconTrie::load(path));
  ::unlink(path.c_str());
  CHECK(trie->kind() == kind);
  std::mt19937 random(3);
  for (int i = 0; i < 500; ++i) {
    const Scorer scorer(lm, trie, random_weights(&random));
    const Alphabet alphabet(toy.alphabet().labels(), static_cast<int>(random() % 4));
    SearchOptions options;
    options.open_vocabulary = open;
    options.oov_penalty = static_cast<float>(random() % 9) - 6.0F;
    options.oov_letter_penalty = -0.5F * static_cast<float>(random() % 5);
    check_case(alphabet, {&scorer, {"a", "ab", "b", "ba"}, false}, options,
               hot ? random_phrases(&random) : Phrases{}, random_rows(&random, random() % 7, 4));
  }
}

void lexicon_of_either_kind() {
  words(NodeKind::kBitmap, false, false);
  words(NodeKind::kSorted, false, false);
}

void hot_words() {
  words(NodeKind::kBitmap, false, true);
  words(NodeKind::kSorted, false, true);
}

void open_vocabulary() {
  words(NodeKind::kBitmap, true, false);
  words(NodeKind::kBitmap, true, true);
  words(NodeKind::kSorted, true, true);
}

// A language model whose unit is the character, with and without a space among the labels.
void characters(const std::vector<std::string>& labels) {
  const ToyDirectory toy;
  const std::string arpa =
      "\\data\\\nngram 1=6\nngram 2=2\n\n\\1-grams:\n-1.5\t<unk>\n0\t<s>\t-0.3\n-0.8\t</s>\n-0.5\ta\t-0.2\n"
      "-0.7\tb\t-0.1\n-0.9\t" +
      std::string(kSpaceWord) + "\t-0.3\n\n\\2-grams:\n-0.2\t<s> a\n-0.3\tb a\n\n\\end\\\n";
  testing::spit(toy.path() + "/lm.binary", arpa);
  const Alphabet plain(labels);
  build_lexicon_trie({"a", "b", std::string(kSpaceWord)},
                     {&plain, toy.path() + "/lm.binary", {}, LmUnit::kCharacters},
                     toy.path() + "/lexicon.trie");
  const auto lm = LanguageModel::load(toy.path() + "/lm.binary");
  const auto trie = std::make_shared<const LexiconTrie>(LexiconTrie::load(toy.path() + "/lexicon.trie"));
  std::mt19937 random(4);
  for (int i = 0; i < 300; ++i) {
    const Scorer scorer(lm, trie, random_weights(&random));
    const Alphabet alphabet(labels, static_cast<int>(random() % (labels.size() + 1)));
    check_case(alphabet, {&scorer, {"a", "b", std::string(kSpaceWord)}, true}, {}, {},
               random_rows(&random, random() % 6, alphabet.size()));
  }
}

void models_of_characters() {
  characters({" ", "a", "b"});
  characters({"a", "b"});
}

}  // namespace

int main() {
  return testing::run_tests({{"without_a_model", without_a_model},
                             {"without_spaces", without_spaces},
                             {"lexicon_of_either_kind", lexicon_of_either_kind},
                             {"hot_words", hot_words},
                             {"open_vocabulary", open_vocabulary},
                             {"models_of_characters", models_of_characters}});
}
