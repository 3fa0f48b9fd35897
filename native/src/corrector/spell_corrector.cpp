#include "corrector/spell_corrector.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "corrector/edit_walk.h"

namespace speechmill {
namespace {

constexpr std::uint32_t kNone = UINT32_MAX;

// Runs `work(i)` for 0 … count - 1 over threads.
template <class Work>
void for_each(std::size_t count, std::size_t threads, const Work& work) {
  std::atomic<std::size_t> next{0};
  const auto take = [&]() {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::thread> helpers;
  for (std::size_t t = 1; t < std::min(threads, count); ++t) helpers.emplace_back(take);
  take();
  for (std::thread& helper : helpers) helper.join();
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) return words;
    words.push_back(text.substr(0, text.find(' ')));
    text.remove_prefix(words.back().size());
  }
}

// A sentence so far: what the model remembers of it, its score, and its last word and the sentence before it.
struct Partial {
  LmState state{};
  double score = 0.0;
  std::uint32_t before = kNone;
  std::uint32_t candidate = 0;
};

std::string_view bytes_of(const LmState& state) {
  return {reinterpret_cast<const char*>(state.bytes), sizeof state.bytes};
}

// Of sentences in equal state the best; of those the `width` best, best first.
void prune(std::vector<Partial>* partials, std::size_t width) {
  std::stable_sort(partials->begin(), partials->end(),
                   [](const Partial& a, const Partial& b) { return a.score > b.score; });
  std::unordered_map<std::string_view, bool> seen;
  std::vector<Partial> kept;
  for (const Partial& partial : *partials) {
    if (kept.size() == width) break;
    if (seen.emplace(bytes_of(partial.state), true).second) kept.push_back(partial);
  }
  *partials = std::move(kept);
}

}  // namespace

SpellCorrector::SpellCorrector(Scorer scorer, const CorrectorOptions& options)
    : scorer_(std::move(scorer)), options_(options) {
  if (options_.beam_width < 1) throw DecodeError("beam_width must be at least 1");
  if (scorer_.trie().info().unit != LmUnit::kWords) {
    throw DecodeError("the spell corrector needs a lexicon of words; this language model counts characters");
  }
}

std::vector<SpellCorrector::Candidate> SpellCorrector::candidates(std::string_view word) const {
  std::vector<int> labels;
  if (scorer_.alphabet().try_encode(word, &labels)) {
    for (int& id : labels) id = scorer_.alphabet().label_of(id);
    const std::uint32_t known = scorer_.trie().find(labels);
    std::vector<Candidate> found;
    if (known != 0) add(std::string(word), known, &found);
    if (!found.empty()) return found;
    EditWalk walk(scorer_.trie(), labels);
    for (const int limit : {1, 2}) {
      for (EditWalk::Found& one : walk.within(limit)) {
        for (int& label : one.labels) label = scorer_.alphabet().output_of(label);
        add(scorer_.alphabet().decode(one.labels), one.index, &found);
      }
      if (found.empty()) continue;
      keep_frequent(&found);
      return found;
    }
  }
  return {{std::string(word), scorer_.model().word_index(word)}};
}

// What the lexicon has at one node: a word of these letters, or all words that are said so.
void SpellCorrector::add(std::string letters, std::uint32_t at, std::vector<Candidate>* found) const {
  const LexiconTrie& trie = scorer_.trie();
  if (!trie.pronounced()) {
    found->push_back({std::move(letters), at});
    return;
  }
  for (std::uint32_t place = at - 1;; ++place) {
    found->push_back({std::string(trie.text(place)), trie.spoken(place).word});
    if (trie.spoken(place).more == 0) return;
  }
}

void SpellCorrector::keep_frequent(std::vector<Candidate>* found) const {
  const std::size_t limit = options_.max_candidates;
  if (limit == 0 || found->size() <= limit) return;
  const LanguageModel& model = scorer_.model();
  const LmState nothing = model.no_context();
  std::vector<std::pair<float, std::size_t>> ranked;
  for (std::size_t i = 0; i < found->size(); ++i) {
    LmState next{};
    ranked.emplace_back(-model.score(nothing, (*found)[i].index, &next), i);
  }
  std::sort(ranked.begin(), ranked.end());
  ranked.resize(limit);
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<Candidate> kept;
  for (const auto& entry : ranked) kept.push_back(std::move((*found)[entry.second]));
  *found = std::move(kept);
}

std::vector<std::string> SpellCorrector::correct(const std::vector<std::string>& texts,
                                                 std::size_t threads) const {
  if (threads < 1) throw DecodeError("threads must be at least 1");
  std::unordered_map<std::string_view, std::size_t> place;  // of every different word
  std::vector<std::string_view> words;
  for (const std::string& text : texts) {
    for (const std::string_view word : split(text)) {
      if (place.emplace(word, words.size()).second) words.push_back(word);
    }
  }
  std::vector<std::vector<Candidate>> choices(words.size());
  for_each(words.size(), threads, [&](std::size_t i) { choices[i] = candidates(words[i]); });
  std::vector<std::string> corrected(texts.size());
  for_each(texts.size(), threads, [&](std::size_t i) {
    std::vector<const std::vector<Candidate>*> sentence;
    for (const std::string_view word : split(texts[i])) sentence.push_back(&choices[place.at(word)]);
    corrected[i] = best_sentence(sentence);
  });
  return corrected;
}

std::string SpellCorrector::best_sentence(const std::vector<const std::vector<Candidate>*>& choices) const {
  if (choices.empty()) return "";
  const LanguageModel& model = scorer_.model();
  std::vector<std::vector<Partial>> steps(1);
  steps[0].push_back({model.start(), 0.0, kNone, 0});
  for (const std::vector<Candidate>* words : choices) {
    std::vector<Partial> grown;
    const std::vector<Partial>& live = steps.back();
    grown.reserve(live.size() * words->size());
    for (std::uint32_t before = 0; before < live.size(); ++before) {
      for (std::uint32_t candidate = 0; candidate < words->size(); ++candidate) {
        Partial next{{}, live[before].score, before, candidate};
        next.score += model.score(live[before].state, (*words)[candidate].index, &next.state);
        grown.push_back(next);
      }
    }
    prune(&grown, options_.beam_width);
    steps.push_back(std::move(grown));
  }
  std::uint32_t best = 0;
  for (std::uint32_t i = 0; i < steps.back().size(); ++i) {
    steps.back()[i].score += model.finish(steps.back()[i].state);
    if (steps.back()[i].score > steps.back()[best].score) best = i;
  }
  std::string sentence;
  for (std::size_t word = choices.size(); word > 0; --word) {
    const Partial& at = steps[word][best];
    const std::string& spelled = (*choices[word - 1])[at.candidate].word;
    sentence.insert(0, word == choices.size() ? spelled : spelled + " ");
    best = at.before;
  }
  return sentence;
}

}  // namespace speechmill
