// How sure a search is of each word of an answer: the share of the beam's probability that agrees with it.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "search/log_add.h"
#include "search/search.h"

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

// The labels of a text from the first word on that is not settled.
std::vector<TimedLabel> Search::open_words(const Ending& ending) const {
  std::size_t first = settled_.size();
  while (first > 0 && !is_gap(settled_[first - 1].label)) {
    if (alphabet_.begins_word(settled_[--first].label)) break;
  }
  std::vector<TimedLabel> labels(settled_.begin() + static_cast<std::ptrdiff_t>(first), settled_.end());
  const std::vector<TimedLabel> open = open_path(ending.prefix, ending.times);
  labels.insert(labels.end(), open.begin(), open.end());
  end_last_word(ending, &labels);
  return labels;
}

// The share of all texts' probability that agrees with each word that is not settled of one of them. Texts of
// one beam share their beginnings, so only what stands behind the last common space is compared.
std::vector<double> Search::rate_open_words(const std::vector<Ending>& all, std::size_t which,
                                            double least_share) const {
  Hypothesis own;
  spell_answer(open_words(all[which]), &own);
  std::vector<std::uint32_t> boundaries;
  for (std::uint32_t at = all[which].prefix; at != root_; at = arena_[at].parent) {
    if (is_boundary(at) && kind_ != Kind::kPieces) boundaries.push_back(at);
  }
  std::unordered_map<std::uint32_t, std::size_t> words_before;
  for (std::size_t i = 0; i < boundaries.size(); ++i) words_before[boundaries[i]] = boundaries.size() - i;

  double sum = -std::numeric_limits<double>::infinity();
  for (const Ending& ending : all) sum = log_add(sum, ending.parts.sum);
  std::vector<double> shares(own.words.size(), 0.0);
  std::vector<TimedLabel> tail;
  Hypothesis other;
  for (const Ending& ending : all) {
    const double share = std::exp(ending.parts.sum - sum);
    if (!(share > least_share)) continue;
    tail.clear();
    std::uint32_t at = ending.prefix;
    std::uint32_t times = ending.times;
    for (; at != root_ && (!is_boundary(at) || words_before.count(at) == 0); at = arena_[at].parent) {
      tail.push_back(timed(at, times));
      times = times_.before(times);
    }
    const bool from_root = at == root_;
    if (from_root) {
      tail = open_words(ending);
    } else {
      std::reverse(tail.begin(), tail.end());
      end_last_word(ending, &tail);
    }
    const std::size_t first = from_root ? 0 : std::min(words_before[at], shares.size());
    for (std::size_t i = 0; i < first; ++i) shares[i] += share;
    spell_answer(tail, &other);
    add_share(other, first, share, own, &shares);
  }
  return shares;
}

void Search::rate_words(const std::vector<Ending>& all, std::size_t which, Hypothesis* hypothesis) const {
  const std::vector<double> shares = rate_open_words(all, which, kLeastShare);
  std::vector<WordTime>& words = hypothesis->words;
  const std::size_t settled = words.size() - std::min(words.size(), shares.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i >= settled)
      words[i].confidence = static_cast<float>(std::min(1.0, shares[i - settled]));
    else if (i < settled_confidence_.size())
      words[i].confidence = settled_confidence_[i];
  }
}

// How sure the words are that are about to be decided for the best text, while its rivals are still there.
std::vector<double> Search::rate_decided_words() const {
  std::vector<Ending> all;
  for (std::size_t slot = 0; slot < live_.size(); ++slot) {
    Ending ending{live_[slot].prefix, live_[slot].times, 0.0, 0.0F, {}, kNone};
    ending.parts.sum = static_cast<double>(score_[slot]);
    all.push_back(ending);
  }
  return rate_open_words(all, best_slot(), kLeastDecidedShare);
}

// Keeps the confidence of the words that have become settled: those behind which a space stands, or a label
// that begins the next.
void Search::settle_confidence(const std::vector<double>& decided) {
  std::size_t ended = 0;
  bool spelled = false;
  for (std::size_t i = rated_labels_; i < settled_.size(); ++i) {
    const bool space = is_gap(settled_[i].label);
    if (spelled && (space || alphabet_.begins_word(settled_[i].label))) {
      const float share = ended < decided.size() ? static_cast<float>(std::min(1.0, decided[ended])) : 1.0F;
      settled_confidence_.push_back(share);
      ++ended;
      rated_labels_ = space ? i + 1 : i;
    }
    spelled = !space;
  }
}

}  // namespace speechmill::search
