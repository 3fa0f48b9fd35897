// The words of a lexicon on their way into a trie: checked, spelled in labels, sorted, without doubles.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "hashes/sha256.h"
#include "scorer/language_model.h"
#include "scorer/lexicon_trie.h"

namespace speechmill {

// One word. Its label numbers stand in the lexicon's pool, two bytes each where one is too small, high byte
// first, so that the order of the bytes is the order of the labels.
struct Entry {
  std::uint64_t key;     // the first eight of those bytes as a number, to compare most words at once
  std::uint32_t labels;  // where they begin in the pool
  std::uint32_t bytes;
  std::uint32_t source;  // which of the given words
  std::uint32_t word;    // of the language model
  float unigram;         // ln P without context
};

// Words in, entries out: what cannot be used is counted by reason.
class Lexicon {
public:
  Lexicon(const TrieBuild& build, const LanguageModel& model, const std::vector<std::string>& words)
      : alphabet_(*build.alphabet),
        unit_(build.unit),
        model_(model),
        words_(words),
        pronunciations_(build.pronunciations),
        wide_(alphabet_.labels().size() > 256) {
    if (pronunciations_ == nullptr) return;
    for (std::size_t label = 0; label < alphabet_.labels().size(); ++label)
      label_of_[alphabet_.labels()[label]] = static_cast<int>(label);
  }

  void add_all(std::map<std::string, std::uint64_t>* skipped) {
    const LmState none = model_.no_context();
    entries_.reserve(words_.size());
    for (std::size_t source = 0; source < words_.size(); ++source) {
      std::uint32_t index = 0;
      const char* reason = refusal(source, &index);
      if (reason != nullptr) {
        ++(*skipped)[reason];
        continue;
      }
      LmState next;
      Entry entry = pooled();
      entry.source = static_cast<std::uint32_t>(source);
      entry.word = index;
      entry.unigram = std::min(0.0F, model_.score(none, index, &next));
      entries_.push_back(entry);
    }
    if (pronunciations_ == nullptr)
      sort_entries();
    else
      sort_alike();
    const auto same = [this](const Entry& a, const Entry& b) {
      return compare(a, b) == 0 && (pronunciations_ == nullptr || a.word == b.word);
    };
    const auto end = std::unique(entries_.begin(), entries_.end(), same);
    const auto twice = static_cast<std::uint64_t>(entries_.end() - end);
    if (twice > 0) (*skipped)["duplicate"] += twice;
    entries_.erase(end, entries_.end());
  }

  const std::vector<Entry>& entries() const { return entries_; }
  const std::string& text(const Entry& entry) const { return words_[entry.source]; }
  bool pronounced() const { return pronunciations_ != nullptr; }

  // How many different words.
  std::size_t words() const {
    if (pronunciations_ == nullptr) return entries_.size();
    std::unordered_set<std::uint32_t> seen;
    for (const Entry& entry : entries_) seen.insert(entry.word);
    return seen.size();
  }

  // How many nodes the words make: one for each label that a word does not share with the one before it.
  std::size_t nodes() const {
    std::size_t bytes = 0;
    std::string_view before;
    for (const Entry& entry : entries_) {
      const std::string_view labels = std::string_view(pool_).substr(entry.labels, entry.bytes);
      const std::size_t least = std::min(labels.size(), before.size());
      std::size_t shared = 0;
      while (shared < least && labels[shared] == before[shared]) ++shared;
      if (wide_) shared &= ~std::size_t{1};
      bytes += labels.size() - shared;
      before = labels;
    }
    return 1 + (bytes >> (wide_ ? 1 : 0));
  }
  std::size_t depth_of(const Entry& entry) const { return entry.bytes >> (wide_ ? 1 : 0); }
  std::uint32_t label(const Entry& entry, std::size_t depth) const {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(pool_[entry.labels + at]); };
    return wide_ ? std::uint32_t{byte(2 * depth)} << 8 | byte(2 * depth + 1) : byte(depth);
  }

  std::string vocabulary_hash() const {
    std::vector<std::string_view> spelled;
    spelled.reserve(entries_.size());
    std::vector<bool> stands(words_.size());
    for (const Entry& entry : entries_) stands[entry.source] = true;
    for (std::size_t source = 0; source < words_.size(); ++source) {
      if (stands[source]) spelled.push_back(words_[source]);
    }
    if (!std::is_sorted(spelled.begin(), spelled.end())) std::sort(spelled.begin(), spelled.end());
    spelled.erase(std::unique(spelled.begin(), spelled.end()), spelled.end());
    std::string text;
    for (const std::string_view word : spelled) (text += word) += '\n';
    return sha256_hex(text);
  }

private:
  // Why a word cannot stand in the lexicon, or null; then ids_ holds its labels and `index` what it is to the
  // language model.
  const char* refusal(std::size_t source, std::uint32_t* index) {
    const std::string& word = words_[source];
    if (word.empty()) return "empty";
    if (word == "<s>" || word == "</s>" || word == "<unk>") return "reserved";
    if (word.find_first_of(" \t\n") != std::string::npos) return "holds_a_space";
    const bool characters = unit_ == LmUnit::kCharacters;
    if (characters && character_bytes(word, 0) != word.size()) return "not_one_character";
    if (pronunciations_ != nullptr) {
      if (!look_up((*pronunciations_)[source])) return "outside_alphabet";
    } else if (!alphabet_.try_encode(characters && word == kSpaceWord ? " " : word, &ids_)) {
      return "outside_alphabet";
    }
    *index = model_.word_index(word);
    return *index == 0 ? "not_in_language_model" : nullptr;
  }

  // Puts a pronunciation's labels into ids_; false if the alphabet lacks one, one is the space, or there is
  // none.
  bool look_up(const std::vector<std::string>& labels) {
    ids_.clear();
    for (const std::string& label : labels) {
      const auto found = label_of_.find(label);
      if (found == label_of_.end() || label == " ") return false;
      ids_.push_back(alphabet_.output_of(found->second));
    }
    return !ids_.empty();
  }

  // Words of one pronunciation: the most probable first.
  void sort_alike() {
    std::sort(entries_.begin(), entries_.end(), [this](const Entry& a, const Entry& b) {
      const int order = compare(a, b);
      if (order != 0) return order < 0;
      return a.unigram != b.unigram ? a.unigram > b.unigram : text(a) < text(b);
    });
  }

  // Words mostly come in the order of their bytes, which is the order of the labels but for a few signs:
  // those few are taken out, sorted and merged in again.
  void sort_entries() {
    const auto before = [this](const Entry& a, const Entry& b) { return compare(a, b) < 0; };
    constexpr std::ptrdiff_t kMostTakenOut = 4096;  // all words with a sign early in them, rarely more
    std::vector<Entry> strays;
    auto kept = entries_.begin();
    for (auto next = entries_.begin(); next != entries_.end(); ++next) {  // what is kept never overtakes it
      const Entry entry = *next;
      if (kept != entries_.begin() && before(entry, *(kept - 1))) {
        const auto place = std::upper_bound(entries_.begin(), kept, entry, before);
        if (kept - place > kMostTakenOut) {
          strays.push_back(entry);
          continue;
        }
        strays.insert(strays.end(), place, kept);
        kept = place;
      }
      *kept++ = entry;
    }
    std::sort(strays.begin(), strays.end(), before);
    std::copy(strays.begin(), strays.end(), kept);
    std::inplace_merge(entries_.begin(), kept, entries_.end(), before);
  }

  // Puts the labels of ids_ into the pool.
  Entry pooled() {
    Entry entry{};
    if (pool_.size() + 2 * ids_.size() > std::numeric_limits<std::uint32_t>::max() ||
        words_.size() > std::numeric_limits<std::uint32_t>::max()) {
      throw ScorerError("the lexicon has too many words");
    }
    entry.labels = static_cast<std::uint32_t>(pool_.size());
    for (const int id : ids_) {
      const int label = alphabet_.label_of(id);
      if (wide_) pool_ += static_cast<char>(label >> 8);
      pool_ += static_cast<char>(label & 0xFF);
    }
    entry.bytes = static_cast<std::uint32_t>(pool_.size()) - entry.labels;
    for (std::size_t i = 0; i < sizeof entry.key; ++i) {
      const auto byte = i < entry.bytes ? static_cast<unsigned char>(pool_[entry.labels + i]) : 0;
      entry.key = entry.key << 8 | byte;
    }
    return entry;
  }

  int compare(const Entry& a, const Entry& b) const {
    if (a.key != b.key) return a.key < b.key ? -1 : 1;
    const std::string_view pool(pool_);
    return pool.substr(a.labels, a.bytes).compare(pool.substr(b.labels, b.bytes));
  }

  const Alphabet& alphabet_;
  LmUnit unit_;
  const LanguageModel& model_;
  const std::vector<std::string>& words_;
  const std::vector<std::vector<std::string>>* pronunciations_;  // null: words are spelled in letters
  std::unordered_map<std::string, int> label_of_;                // only where there are pronunciations
  bool wide_;
  std::vector<int> ids_;
  std::string pool_;
  std::vector<Entry> entries_;
};

}  // namespace speechmill
