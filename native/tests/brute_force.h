// The definition that the exact search is held against: every text's probability is summed over every
// alignment one by one, and scored by the formula of beam_search.h. Nothing is shared with the search but the
// language model's own numbers.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/utf8.h"
#include "check.h"
#include "search/beam_search.h"
#include "toy_model.h"

namespace speechmill::testing {

constexpr std::size_t kNeverFull = 100000;
constexpr std::size_t kAll = 1000000;
using Phrases = std::vector<std::pair<std::string, float>>;

inline std::vector<float> random_rows(std::mt19937* random, std::size_t frames, std::size_t labels) {
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

inline std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

inline void replace_all(std::string* text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text->find(from, at)) != std::string::npos; at += to.size())
    text->replace(at, from.size(), to);
}

// What a label adds to a text, spaces before words; nothing where it is never written.
inline std::optional<std::string> written(const Alphabet& alphabet, std::size_t id) {
  std::string label = alphabet.label(static_cast<int>(id));
  if (alphabet.kind() != LabelKind::kPieces || label.empty()) return label;
  if (label[0] == '<') return std::nullopt;
  if (alphabet.piece_mark() == PieceMark::kContinue)
    return label.substr(0, 2) == "##" ? label.substr(2) : " " + label;
  replace_all(&label, std::string(kSpaceWord), " ");
  return label;
}

// P(text) of every text, alignment by alignment.
inline std::map<std::string, double> masses_of(const Alphabet& alphabet, const std::vector<float>& rows) {
  const std::size_t labels = alphabet.size();
  const std::size_t frames = rows.size() / labels;
  std::map<std::string, double> masses;
  std::vector<std::size_t> path(frames, 0);
  std::vector<std::optional<std::string>> labels_written;
  for (std::size_t id = 0; id < labels; ++id) labels_written.push_back(written(alphabet, id));
  while (true) {
    double mass = 0.0;
    bool spells = true;
    std::string spelled;
    for (std::size_t t = 0; t < frames; ++t) {
      mass += static_cast<double>(rows[t * labels + path[t]]);
      if (t > 0 && path[t] == path[t - 1]) continue;
      spells = spells && labels_written[path[t]].has_value();
      if (spells) spelled += *labels_written[path[t]];
    }
    std::string text;
    for (const std::string& word : words_of(spelled)) text += (text.empty() ? "" : " ") + word;
    if (spells) masses[text] += std::exp(mass);
    std::size_t t = 0;
    while (t < frames && ++path[t] == labels) path[t++] = 0;
    if (t == frames) return masses;
  }
}

struct Model {
  const Scorer* scorer = nullptr;
  std::set<std::string> lexicon;
  bool characters = false;
  std::multimap<std::string, std::string> sounds =
      {};  // pronunciation, its labels joined -> word; empty: letters
};

// P(text) of texts of words from those of texts of sounds: a text is heard in each of its pronunciations.
inline std::map<std::string, double> masses_of_words(const std::map<std::string, double>& masses,
                                                     const Model& model) {
  if (model.sounds.empty()) return masses;
  std::map<std::string, double> heard;
  for (const auto& [sounds, mass] : masses) {
    std::vector<std::string> texts(1);
    for (const std::string& sound : words_of(sounds)) {
      std::vector<std::string> longer;
      const auto [first, last] = model.sounds.equal_range(sound);
      for (const std::string& text : texts) {
        for (auto word = first; word != last; ++word)
          longer.push_back(text + (text.empty() ? "" : " ") + word->second);
      }
      texts = longer;
    }
    for (const std::string& text : texts) heard[text] += mass;
  }
  return heard;
}

// The tokens that the language model scores.
inline std::vector<std::string> tokens_of(const std::string& text, bool characters) {
  if (!characters) return words_of(text);
  std::vector<std::string> tokens;
  for (const char letter : text)
    tokens.push_back(letter == ' ' ? std::string(kSpaceWord) : std::string(1, letter));
  return tokens;
}

inline double boosts_in(const std::string& text, const Phrases& phrases) {
  double sum = 0.0;
  const std::string spaced = " " + text + " ";
  for (const auto& [phrase, boost] : phrases) {
    for (std::size_t at = 0; (at = spaced.find(" " + phrase + " ", at)) != std::string::npos; ++at)
      sum += static_cast<double>(boost);
  }
  return sum;
}

// score(text), or NaN when the text may not be written.
inline double score_of(const std::string& text, double mass, const Model& model, const SearchOptions& options,
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
inline void check_case(const Alphabet& alphabet, const Model& model, SearchOptions options,
                       const Phrases& phrases, const std::vector<float>& rows) {
  options.beam_width = kNeverFull;
  if (!phrases.empty()) options.hot_words = std::make_shared<const HotWords>(phrases, alphabet);
  BeamSearch search(alphabet, model.scorer, options);
  search.feed(rows.data(), rows.size() / alphabet.size());
  const std::vector<Hypothesis> answers = search.finish(kAll);
  std::map<std::string, double> expected;
  for (const auto& [text, mass] : masses_of_words(masses_of(alphabet, rows), model)) {
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
    if (alphabet.space() >= 0 || !alphabet.is_unspaced()) {
      std::vector<std::string> own;
      for (const WordTime& word : answer.words) own.push_back(word.word);
      CHECK(own == words_of(answer.text));
    }
    int last = -1;
    for (const WordTime& word : answer.words) {
      CHECK(word.start_frame > last && word.end_frame > word.start_frame);
      last = word.end_frame - 1;
    }
    for (const WordTime& word : answer.words) CHECK(word.confidence >= 0.0F && word.confidence <= 1.0F);
  }
}

inline Phrases random_phrases(std::mt19937* random) {
  const Phrases all = {{"a", 1.5F},    {"ab", 2.0F},      {"a b", 3.0F},
                       {"b a", -1.0F}, {"ba ab a", 4.0F}, {"b", 0.5F}};
  Phrases some;
  for (const auto& phrase : all) {
    if ((*random)() % 3 == 0) some.push_back(phrase);
  }
  return some;
}

inline Weights random_weights(std::mt19937* random) {
  std::uniform_real_distribution<float> alpha(0.0F, 3.0F);
  std::uniform_real_distribution<float> beta(-2.0F, 4.0F);
  return {alpha(*random), beta(*random)};
}

}  // namespace speechmill::testing
