// From the beam to texts: whole words, merged over trailing spaces, scored to the end of the sentence.
#include <algorithm>

#include "search/log_add.h"
#include "search/search.h"

namespace speechmill::search {

bool Search::is_boundary(std::uint32_t prefix) const {
  return space_ >= 0 && (arena_[prefix].label < 0 || is_space(arena_[prefix].label));
}

// True if the prefix ends between words: behind a space, or before the first label.
bool Search::is_between(std::uint32_t prefix) const {
  return kind_ == Kind::kPieces ? arena_[prefix].letters == 0 : is_boundary(prefix);
}

// The labels from the root down to `prefix`.
std::vector<TimedLabel> Search::open_path(std::uint32_t prefix, std::uint32_t times) const {
  std::vector<TimedLabel> path;
  for (; prefix != root_; prefix = arena_[prefix].parent, times = times_.before(times)) {
    path.push_back(timed(prefix, times));
  }
  std::reverse(path.begin(), path.end());
  return path;
}

// The settled labels and those down to `prefix`.
std::vector<TimedLabel> Search::path_to(std::uint32_t prefix, std::uint32_t times) const {
  std::vector<TimedLabel> path = settled_;
  const std::vector<TimedLabel> open = open_path(prefix, times);
  path.insert(path.end(), open.begin(), open.end());
  return path;
}

// True if the prefix ends between words or with a whole word.
bool Search::is_whole(std::uint32_t prefix) const {
  if (scorer_ == nullptr || is_between(prefix)) return true;
  return words_end_ ? may_end(arena_[prefix].trie) : arena_[prefix].trie == LexiconTrie::root();
}

// What the language model knows at the end of a whole text.
WordContext Search::closed_context(const Ending& ending) const {
  const std::uint32_t prefix = ending.prefix;
  if (kind_ == Kind::kPronounced && !is_between(prefix)) {
    if (arena_[prefix].ended != kNone) return arena_.context(arena_.ended(prefix, ending.choice));
    const std::uint32_t first = scorer_->trie().word(arena_[prefix].trie) - 1;
    return after_spoken(arena_.context(arena_[prefix].context), first + ending.choice);
  }
  if (!words_end_ || is_between(prefix)) return arena_.context(arena_[prefix].context);
  return after_word(prefix);
}

float Search::hot_total(std::uint32_t prefix) const {
  if (hot_ == nullptr) return 0.0F;
  const Prefix& entry = arena_[prefix];
  return entry.hot_earned + (is_between(prefix) ? 0.0F : hot_->closing(entry.hot_state));
}

// The parts of a text's score and their sum.
ScoreParts Search::score_parts(const WordContext& context, double mass, float hot_words) const {
  ScoreParts parts;
  parts.acoustic = offset_ + mass;
  parts.hot_words = static_cast<double>(hot_words);
  if (scorer_ != nullptr) {
    parts.lm = context.lm + scorer_->model().finish(context.state);
    parts.weighted_lm = scorer_->alpha() * parts.lm;
    parts.words = scorer_->beta() * static_cast<double>(context.words);
    parts.unknown = penalty(context);
  }
  parts.sum = parts.acoustic + parts.weighted_lm + parts.words + parts.unknown + parts.hot_words;
  return parts;
}

// Every text of the beam once: a prefix and the same with a trailing space are one text, a prefix that ends
// several words is as many.
std::vector<Search::Ending> Search::endings() const {
  std::vector<Ending> all;
  for (std::size_t slot = 0; slot < live_.size(); ++slot) {
    const Live& live = live_[slot];
    const float mass = now_.total[slot];
    if (!(mass > kImpossible) || !is_whole(live.prefix)) continue;
    const bool spaced = space_ >= 0 && is_space(arena_[live.prefix].label) && live.prefix != root_;
    const std::uint32_t text = spaced ? live.parent : live.prefix;
    const std::uint32_t times = spaced ? times_.before(live.times) : live.times;
    const std::uint32_t first = spaced ? choice_of(arena_[live.prefix].label) : 0;
    const std::uint32_t words = spaced || is_between(text) ? 1 : alike(arena_[text].trie);
    for (std::uint32_t i = 0; i < words; ++i) all.push_back({text, times, mass, mass, {}, first + i});
  }
  std::sort(all.begin(), all.end(), [](const Ending& a, const Ending& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : a.choice < b.choice;
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (kept == 0 || all[kept - 1].prefix != all[i].prefix || all[kept - 1].choice != all[i].choice) {
      all[kept++] = all[i];
      continue;
    }
    Ending& same = all[kept - 1];
    same.mass = log_add(same.mass, all[i].mass);
    if (all[i].heaviest > same.heaviest) same.heaviest = all[i].heaviest, same.times = all[i].times;
  }
  all.resize(kept);
  if (alphabet_.is_ambiguous() || kind_ == Kind::kPronounced) merge_spellings(&all);
  for (Ending& ending : all) {
    const WordContext context = scorer_ == nullptr ? WordContext{} : closed_context(ending);
    ending.parts = score_parts(context, ending.mass, hot_total(ending.prefix));
  }
  return all;
}

Hypothesis Search::make_hypothesis(const std::vector<TimedLabel>& path, const ScoreParts& parts) const {
  Hypothesis hypothesis;
  spell_answer(path, &hypothesis);
  hypothesis.score = static_cast<float>(parts.sum);
  hypothesis.acoustic = static_cast<float>(parts.acoustic);
  hypothesis.lm = static_cast<float>(parts.lm);
  hypothesis.lm_score = static_cast<float>(parts.weighted_lm);
  hypothesis.word_score = static_cast<float>(parts.words);
  hypothesis.oov_score = static_cast<float>(parts.unknown);
  hypothesis.hot_word_score = static_cast<float>(parts.hot_words);
  return hypothesis;
}

// The words before the fragment that the best prefix ends in.
Hypothesis Search::without_fragment() const {
  const std::size_t best = best_slot();
  const std::uint32_t prefix = live_[best].prefix;
  std::vector<TimedLabel> path = path_to(prefix, live_[best].times);
  if (kind_ == Kind::kPieces) {
    bool begun = false;
    for (; !path.empty() && !begun && path.back().label != alphabet_.space(); path.pop_back()) {
      begun = alphabet_.begins_word(path.back().label);
    }
  } else if (words_end_) {
    while (!path.empty() && !is_gap(path.back().label)) path.pop_back();
  } else {
    for (std::uint32_t at = prefix; !is_whole(at); at = arena_[at].parent) path.pop_back();
  }
  const Prefix& entry = arena_[prefix];
  const double mass = static_cast<double>(now_.total[best]);
  return make_hypothesis(path, score_parts(arena_.context(entry.context), mass, entry.hot_earned));
}

std::vector<Hypothesis> Search::finish(std::size_t n_best) const {
  const std::vector<Ending> all = endings();
  if (all.empty()) return {without_fragment()};
  std::vector<std::size_t> order(all.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto score = [&all](std::size_t i) { return static_cast<float>(all[i].parts.sum); };
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return score(a) != score(b) ? score(a) > score(b) : a < b; });
  std::size_t count = std::min(n_best, order.size());
  while (count > 0 && count < order.size() && score(order[count]) == score(order[count - 1])) ++count;
  std::vector<Hypothesis> answers;
  for (std::size_t i = 0; i < count; ++i) {
    const Ending& ending = all[order[i]];
    std::vector<TimedLabel> path = path_to(ending.prefix, ending.times);
    end_last_word(ending, &path);
    answers.push_back(make_hypothesis(path, ending.parts));
    rate_words(all, order[i], &answers.back());
  }
  std::sort(answers.begin(), answers.end(), [](const Hypothesis& a, const Hypothesis& b) {
    return a.score != b.score ? a.score > b.score : a.text < b.text;
  });
  if (answers.size() > n_best) answers.resize(n_best);
  return answers;
}

}  // namespace speechmill::search
