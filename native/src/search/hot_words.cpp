#include "search/hot_words.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace speechmill {
namespace {

constexpr std::uint32_t kNoState = UINT32_MAX;
constexpr std::size_t kMostEntries = std::size_t{1} << 26;  // of the transition table: 256 MiB

// The words of a phrase, as label numbers each.
std::vector<std::vector<int>> spell_words(const std::string& phrase, const Alphabet& alphabet) {
  std::vector<std::vector<int>> words;
  for (std::size_t at = 0; at < phrase.size();) {
    const std::size_t end = std::min(phrase.find(' ', at), phrase.size());
    if (end > at) {
      std::vector<int> labels;
      if (!alphabet.try_encode(phrase.substr(at, end - at), &labels)) {
        throw DecodeError("hot phrase \"" + phrase + "\" holds \"" + phrase.substr(at, end - at) +
                          "\", which the alphabet cannot spell");
      }
      for (int& label : labels) label = alphabet.label_of(label);
      words.push_back(std::move(labels));
    }
    at = end + 1;
  }
  return words;
}

}  // namespace

HotWords::HotWords(const std::vector<std::pair<std::string, float>>& phrases, const Alphabet& written)
    : HotWords(written.spelling(), phrases) {}

HotWords::HotWords(const Alphabet& alphabet, const std::vector<std::pair<std::string, float>>& phrases)
    : labels_(alphabet.labels().size()),
      space_(alphabet.space() < 0 ? -1 : alphabet.label_of(alphabet.space())) {
  next_.assign(labels_, kNoState);
  earned_.assign(1, 0.0F);
  promised_.assign(1, 0.0F);
  for (const auto& [phrase, boost] : phrases) add(phrase, boost, alphabet);
  link();
  if (space_ >= 0) start_ = next(0, space_);  // a text begins as if a space stood before it
  for (std::size_t state = 0; state < earned_.size(); ++state) {
    most_ = std::max(most_, earned_[state] + promised_[state]);
  }
}

// Adds the phrase's path: space, its labels, space (without spaces where the alphabet has none).
void HotWords::add(const std::string& phrase, float boost, const Alphabet& alphabet) {
  const std::vector<std::vector<int>> words = spell_words(phrase, alphabet);
  if (words.empty()) throw DecodeError("a hot phrase is empty");
  if (space_ < 0 && words.size() > 1)
    throw DecodeError("hot phrase \"" + phrase + "\" holds a space, the alphabet has none");
  std::vector<int> path;
  for (const std::vector<int>& word : words) {
    if (space_ >= 0) path.push_back(space_);
    path.insert(path.end(), word.begin(), word.end());
    words_.emplace_back(phrase, word);
  }
  const std::size_t first = space_ >= 0 ? 1 : 0;  // labels that earn nothing
  const std::size_t spelled = path.size();
  if (!std::isfinite(boost)) throw DecodeError("the boost of hot phrase \"" + phrase + "\" is not finite");
  const float most = kMostBoostPerLetter * static_cast<float>(spelled - first);
  if (!(boost >= kLeastBoost && boost <= most)) {
    throw DecodeError("the boost " + std::to_string(boost) + " of hot phrase \"" + phrase +
                      "\" is not between -1000 and " + std::to_string(most) +
                      " nats (6 a letter): above, it is written where nobody says it");
  }
  if (space_ >= 0) path.push_back(space_);
  std::uint32_t state = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const std::size_t entry = state * labels_ + static_cast<std::size_t>(path[i]);
    if (next_[entry] == kNoState) {
      if (next_.size() > kMostEntries) throw DecodeError("there are too many hot phrases");
      next_[entry] = static_cast<std::uint32_t>(earned_.size());
      next_.resize(next_.size() + labels_, kNoState);
      earned_.push_back(0.0F);
      promised_.push_back(0.0F);
    }
    state = next_[entry];
    if (i + 1 == path.size()) break;
    const auto share = static_cast<float>(i + 1 - first) / static_cast<float>(spelled - first);
    promised_[state] = std::max(promised_[state], boost * share);
  }
  if (earned_[state] != 0.0F) throw DecodeError("hot phrase \"" + phrase + "\" appears twice");
  earned_[state] = boost;
}

// Completes the transitions breadth first: where a path fails, its longest suffix that is a path goes on.
void HotWords::link() {
  std::vector<std::uint32_t> suffix(earned_.size(), 0);
  std::vector<std::uint32_t> order{0};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint32_t state = order[i];
    if (state != 0) {
      earned_[state] += earned_[suffix[state]];
      promised_[state] = std::max(promised_[state], promised_[suffix[state]]);
    }
    for (std::size_t label = 0; label < labels_; ++label) {
      const std::uint32_t fallen = state == 0 ? 0 : next_[suffix[state] * labels_ + label];
      std::uint32_t& entry = next_[state * labels_ + label];
      if (entry == kNoState) {
        entry = fallen;
      } else {
        suffix[entry] = fallen;
        order.push_back(entry);
      }
    }
  }
}

}  // namespace speechmill
