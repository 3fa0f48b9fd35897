// From the beam to texts: whole words, merged over trailing spaces, scored to the end of the sentence.
#include <algorithm>
#include <map>

#include "native/beam_search.h"
#include "native/log_add.h"

namespace speechmill {

std::vector<TimedLabel> BeamSearch::path_to(std::uint32_t prefix, std::uint32_t times) const {
  std::vector<TimedLabel> path;
  for (; arena_[prefix].parent != kNone; prefix = arena_[prefix].parent, times = times_.before(times)) {
    path.push_back({alphabet_.output_of(arena_[prefix].label), times_.frame(times)});
  }
  std::reverse(path.begin(), path.end());
  return path;
}

// True if the prefix ends between words or with a whole word.
bool BeamSearch::is_whole(std::uint32_t prefix) const {
  if (scorer_ == nullptr || is_boundary(prefix)) return true;
  return scorer_->trie().node(arena_[prefix].trie).word != 0;
}

Hypothesis BeamSearch::make_hypothesis(std::uint32_t prefix, std::uint32_t times, double mass) const {
  Hypothesis hypothesis;
  spell(alphabet_, path_to(prefix, times), &hypothesis);
  const double acoustic = offset_ + mass;
  double score = acoustic;
  if (scorer_ != nullptr) {
    const WordContext context =
        is_boundary(prefix) ? arena_.context(arena_[prefix].context) : after_word(prefix);
    const double lm = context.lm + scorer_->model().finish(context.state);
    score += scorer_->alpha() * lm + scorer_->beta() * static_cast<double>(context.words);
    hypothesis.lm = static_cast<float>(lm);
  }
  hypothesis.acoustic = static_cast<float>(acoustic);
  hypothesis.score = static_cast<float>(score);
  return hypothesis;
}

std::vector<Hypothesis> BeamSearch::whole_texts() const {
  struct Merged {
    double mass;
    float heaviest;
    std::uint32_t times;  // of the heaviest
  };
  std::map<std::uint32_t, Merged> merged;  // by the prefix without its trailing space
  for (const Beam& beam : beams_) {
    if (!is_whole(beam.prefix)) continue;
    const bool spaced = beam.prefix != 0 && is_boundary(beam.prefix);
    const std::uint32_t text = spaced ? arena_[beam.prefix].parent : beam.prefix;
    const std::uint32_t times = spaced ? times_.before(beam.times) : beam.times;
    const auto [entry, fresh] = merged.emplace(text, Merged{beam.total, beam.total, times});
    if (fresh) continue;
    Merged& same = entry->second;
    same.mass = log_add(same.mass, static_cast<double>(beam.total));
    if (beam.total > same.heaviest) same.heaviest = beam.total, same.times = times;
  }
  std::vector<Hypothesis> texts;
  for (const auto& [prefix, one] : merged) texts.push_back(make_hypothesis(prefix, one.times, one.mass));
  return texts;
}

// The words before the fragment that the best prefix ends in.
Hypothesis BeamSearch::without_fragment() const {
  const auto lower = [](const Beam& a, const Beam& b) { return a.total + a.words < b.total + b.words; };
  const Beam& best = *std::max_element(beams_.begin(), beams_.end(), lower);
  std::uint32_t prefix = best.prefix;
  std::uint32_t times = best.times;
  for (; !is_boundary(prefix); prefix = arena_[prefix].parent) times = times_.before(times);
  return make_hypothesis(prefix, times, best.total);
}

std::vector<Hypothesis> BeamSearch::finish(std::size_t n_best) const {
  std::vector<Hypothesis> texts = whole_texts();
  if (texts.empty()) texts.push_back(without_fragment());
  std::sort(texts.begin(), texts.end(), [](const Hypothesis& a, const Hypothesis& b) {
    return a.score != b.score ? a.score > b.score : a.text < b.text;
  });
  if (texts.size() > n_best) texts.resize(n_best);
  return texts;
}

}  // namespace speechmill
