#include "fusion/memory.h"

#include <algorithm>
#include <cmath>

namespace speechmill::fusion {
namespace {

constexpr std::size_t kUsualLetters = 6;  // unknown beginnings that are longer cost more

std::uint64_t pair_of(std::uint32_t first, std::uint32_t second) {
  return static_cast<std::uint64_t>(first) << 32U | second;
}

double natural_per_log10() {
  static const double factor = 1.0 / std::log10(2.718281828459045);
  return factor;
}

}  // namespace

Memory::Memory(const Words& words, const Weights& weights, const HotWords& hot_words, const LmState* start)
    : known_(words), weights_(weights), hot_words_(hot_words) {
  named("");
  Text empty;
  if (start != nullptr) {
    empty.state = *start;
  } else if (has_model()) {
    empty.state = weights.boundary ? known_.model->start() : known_.model->no_context();
  }
  texts_.push_back(empty);
}

std::uint32_t Memory::named(std::string letters) {
  const auto [entry, is_new] =
      numbers_.try_emplace(std::move(letters), static_cast<std::uint32_t>(words_.size()));
  if (is_new) {
    Word word;
    word.letters = entry->first;
    word.begun = worth(word.letters);
    words_.push_back(std::move(word));
  }
  return entry->second;
}

std::uint32_t Memory::longer(std::uint32_t word, std::uint32_t label, const std::string& piece) {
  const auto [entry, is_new] = longer_words_.try_emplace(pair_of(word, label), 0);
  if (is_new) entry->second = named(words_[word].letters + piece);
  return entry->second;
}

// A begun hot word has its share of the shortest one; else a begun word that the model knows costs nothing.
double Memory::worth(const std::string& letters) const {
  if (letters.empty()) return 0.0;
  const double count = static_cast<double>(letters_of(letters));
  if (const std::size_t shortest = hot_words_.words.shortest(letters); shortest != 0) {
    return hot_words_.weight * count / static_cast<double>(shortest);
  }
  if (!has_model()) return 0.0;
  const bool is_known = known_.known.has_value() && known_.known->has_beginning(letters);
  const double unknown = is_known ? weights_.unknown_log10 * 0.0 : weights_.unknown_log10;
  return count > kUsualLetters ? unknown * count / kUsualLetters : unknown;
}

Word& Memory::filled(std::uint32_t number) {
  Word& word = words_[number];
  if (word.scored) return word;
  word.scored = true;
  word.hot = hot_words_.words.has_word(word.letters);
  if (has_model()) {
    word.index = known_.model->word_index(word.letters);
    const bool has_list = known_.known.has_value() && !known_.known->empty();
    word.unknown = word.index == 0 || (has_list && !known_.known->has_word(word.letters));
  }
  return word;
}

double Memory::word_log10(const LmState& state, std::uint32_t number, LmState* after) {
  const Word& word = filled(number);
  const double log10 = known_.model->score_log10(state, word.index, after);
  return word.unknown ? log10 + weights_.unknown_log10 : log10;
}

std::uint32_t Memory::longer_text(std::uint32_t number, std::uint32_t word) {
  if (word == 0) return number;
  const auto [entry, is_new] = longer_texts_.try_emplace(pair_of(number, word), 0);
  if (!is_new) return entry->second;
  Text longer;
  longer.before = number;
  longer.word = word;
  longer.hot_words = texts_[number].hot_words + (filled(word).hot ? 1U : 0U);
  if (has_model()) {
    const double log10 = word_log10(texts_[number].state, word, &longer.state);
    longer.model = texts_[number].model + (weights_.alpha * log10 * natural_per_log10() + weights_.beta);
  }
  longer.total = longer.model + hot_words_.weight * static_cast<double>(longer.hot_words);
  entry->second = static_cast<std::uint32_t>(texts_.size());
  texts_.push_back(longer);
  return entry->second;
}

double Memory::end_score(std::uint32_t number, std::uint32_t word, LmState* after) {
  double log10 = word_log10(texts_[number].state, word, after);
  if (weights_.boundary) {
    LmState end{};
    log10 = log10 + known_.model->score_log10(*after, known_.model->end_index(), &end);
  }
  return texts_[number].model + (weights_.alpha * log10 * natural_per_log10() + weights_.beta);
}

std::uint32_t Memory::add_frames(std::uint32_t before, std::int32_t start, std::int32_t end) {
  frames_.push_back({before, start, end});
  return static_cast<std::uint32_t>(frames_.size() - 1);
}

std::vector<std::string> Memory::words_of(std::uint32_t number) const {
  std::vector<std::string> found;
  for (; texts_[number].before != kNone; number = texts_[number].before) {
    found.push_back(words_[texts_[number].word].letters);
  }
  std::reverse(found.begin(), found.end());
  return found;
}

std::vector<std::pair<std::int32_t, std::int32_t>> Memory::frames_of(std::uint32_t number) const {
  std::vector<std::pair<std::int32_t, std::int32_t>> found;
  for (; number != kNone; number = frames_[number].before) {
    found.emplace_back(frames_[number].start, frames_[number].end);
  }
  std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace speechmill::fusion
