// How sure a search is of each word of an answer: the share of the beam's probability that agrees with it.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "native/log_add.h"
#include "search.h"

namespace speechmill::search {
namespace {

// Adds `share` to every word from `first` on with which `other` goes on too, and behind where the two part to
// every word that it has too at a time that overlaps.
void add_share(const Hypothesis& other, std::size_t first, double share, const Hypothesis& own,
               std::vector<double>* shares) {
  std::size_t i = first;
  std::size_t k = 0;
  while (i < own.words.size() && k < other.words.size() && own.words[i].word == other.words[k].word) {
    (*shares)[i++] += share;
    ++k;
  }
  for (; i < own.words.size(); ++i) {
    const WordTime& word = own.words[i];
    while (k < other.words.size() && other.words[k].end_frame <= word.start_frame) ++k;
    for (std::size_t at = k; at < other.words.size() && other.words[at].start_frame < word.end_frame; ++at) {
      if (other.words[at].word != word.word) continue;
      (*shares)[i] += share;
      break;
    }
  }
}

}  // namespace

// Texts of one beam share their beginnings, so only what stands behind the last common space is compared.
void Search::rate_words(const std::vector<Ending>& all, std::size_t which, Hypothesis* hypothesis) const {
  std::size_t open = settled_.size();  // settled labels from here on belong to a word that is not settled
  while (open > 0 && settled_[open - 1].label != alphabet_.space()) --open;
  std::size_t spaces = 0;  // so many words stand before a space
  for (std::size_t i = 0; i < open; ++i) spaces += settled_[i].label == alphabet_.space() ? 1 : 0;
  std::unordered_map<std::uint32_t, std::size_t> words_before{{root_, spaces}};
  std::vector<std::uint32_t> boundaries;
  for (std::uint32_t at = all[which].prefix; at != root_; at = arena_[at].parent) {
    if (is_boundary(at)) boundaries.push_back(at);
  }
  for (std::size_t i = boundaries.size(); i-- > 0;) words_before[boundaries[i]] = ++spaces;

  double sum = -std::numeric_limits<double>::infinity();
  for (const Ending& ending : all) sum = log_add(sum, ending.parts.sum);
  std::vector<double> shares(hypothesis->words.size(), 0.0);
  std::vector<TimedLabel> tail;
  Hypothesis other;
  for (std::size_t j = 0; j < all.size(); ++j) {
    const double share = std::exp(all[j].parts.sum - sum);
    if (!(share > kLeastShare)) continue;
    tail.clear();
    std::uint32_t at = all[j].prefix;
    std::uint32_t times = all[j].times;
    for (; at != root_ && (!is_boundary(at) || words_before.count(at) == 0); at = arena_[at].parent) {
      tail.push_back({alphabet_.output_of(arena_[at].label), times_.frame(times)});
      times = times_.before(times);
    }
    if (at == root_)
      tail.insert(tail.end(), settled_.rbegin(), settled_.rend() - static_cast<std::ptrdiff_t>(open));
    std::reverse(tail.begin(), tail.end());
    const std::size_t first = std::min(words_before[at], shares.size());
    for (std::size_t i = 0; i < first; ++i) shares[i] += share;
    spell(alphabet_, tail, &other);
    add_share(other, first, share, *hypothesis, &shares);
  }
  for (std::size_t i = 0; i < shares.size(); ++i) {
    hypothesis->words[i].confidence = static_cast<float>(std::min(1.0, shares[i]));
  }
}

}  // namespace speechmill::search
