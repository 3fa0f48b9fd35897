#include "scorer/model_check.h"

#include <cmath>
#include <cstring>
#include <lm/bhiksha.hh>
#include <lm/binary_format.hh>
#include <lm/quantize.hh>
#include <lm/search_hashed.hh>
#include <lm/search_trie.hh>
#include <lm/value.hh>
#include <lm/vocab.hh>
#include <util/bit_packing.hh>

#include "base/error.h"
#include "base/file.h"

namespace speechmill {
namespace {

namespace ngram = lm::ngram;
namespace trie = lm::ngram::trie;

constexpr std::string_view kMagic = "mmap lm http://kheafield.com/code format version 5\n";
constexpr std::size_t kSanityBytes = 88;  // the magic and the values that prove the machine's layout
constexpr std::size_t kHeadBytes = 4096;  // where the counts of an ARPA file stand
constexpr std::uint64_t kEntryBytes = sizeof(std::uint64_t);

// The number of up to 57 bits that begins at bit `bit` behind `base`; behind every packed array there are 8
// bytes more.
std::uint64_t read_bits(const std::uint8_t* base, std::uint64_t bit, std::uint8_t count) {
  std::uint64_t word = 0;
  std::memcpy(&word, base + bit / 8, sizeof word);
  return word >> (bit % 8) & ((std::uint64_t{1} << count) - 1);
}

float as_float(std::uint64_t bits) {
  const auto low = static_cast<std::uint32_t>(bits);
  float value = 0.0F;
  std::memcpy(&value, &low, sizeof value);
  return value;
}

// Walks over one file. Every read is inside of it once lay_out() has passed.
class Checker {
public:
  explicit Checker(const std::string& path) : path_(path), file_(path) {}

  void run() {
    const std::string_view bytes(reinterpret_cast<const char*>(file_.data()), file_.size());
    if (bytes.substr(0, kMagic.size()) != kMagic) return check_arpa(bytes.substr(0, kHeadBytes));
    read_header();
    switch (fixed_.model_type) {
      case ngram::PROBING:
        return check_hashed<ngram::BackoffValue>();
      case ngram::REST_PROBING:
        return check_hashed<ngram::RestValue>();
      case ngram::TRIE:
        return check_trie<ngram::DontQuantize, trie::DontBhiksha>();
      case ngram::QUANT_TRIE:
        return check_trie<ngram::SeparatelyQuantize, trie::DontBhiksha>();
      case ngram::ARRAY_TRIE:
        return check_trie<ngram::DontQuantize, trie::ArrayBhiksha>();
      case ngram::QUANT_ARRAY_TRIE:
        return check_trie<ngram::SeparatelyQuantize, trie::ArrayBhiksha>();
    }
  }

private:
  // Lines such as "ngram 2=1234".
  void check_arpa(std::string_view head) const {
    for (std::size_t at = head.find("\nngram "); at != std::string_view::npos;
         at = head.find("\nngram ", at + 1)) {
      std::string_view count = head.substr(at, head.find('\n', at + 1) - at);
      count.remove_prefix(std::min(count.find('='), count.size() - 1) + 1);
      std::uint64_t grams = 0;
      for (const char digit : count.substr(0, 19)) {
        if (digit >= '0' && digit <= '9') grams = 10 * grams + static_cast<std::uint64_t>(digit - '0');
      }
      require(grams <= file_.size(), "it has fewer bytes than n-grams of one order:", grams);
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw ScorerError("language model " + path_ + " is damaged: " + what +
                      "; build it again or copy it anew");
  }

  void require(bool holds, const char* what, std::uint64_t value) const {
    if (!holds) fail(std::string(what) + " " + std::to_string(value));
  }

  std::string order_name(std::size_t order) const { return std::to_string(order) + "-grams"; }

  template <class Number>
  Number at(std::uint64_t offset) const {
    Number value;
    std::memcpy(&value, file_.data() + offset, sizeof value);
    return value;
  }

  void read_header() {
    const std::size_t fixed_end = kSanityBytes + sizeof fixed_;
    require(file_.size() >= fixed_end, "it ends inside its header, at byte", file_.size());
    // The kind is an enumeration and the vocabulary's mark a bool: neither may be read before its value is
    // known.
    const auto kind = at<std::uint32_t>(kSanityBytes + offsetof(ngram::FixedWidthParameters, model_type));
    require(kind <= ngram::QUANT_ARRAY_TRIE, "it is of the unknown kind", kind);
    const auto words = at<std::uint8_t>(kSanityBytes + offsetof(ngram::FixedWidthParameters, has_vocabulary));
    require(words <= 1, "its mark of a vocabulary is", words);
    fixed_ = at<ngram::FixedWidthParameters>(kSanityBytes);
    require(fixed_.order >= 2 && fixed_.order <= KENLM_MAX_ORDER, "its order is", fixed_.order);
    require(file_.size() >= fixed_end + kEntryBytes * fixed_.order, "it ends inside its header, at byte",
            file_.size());
    if (!(fixed_.probing_multiplier >= 1.0F && fixed_.probing_multiplier <= 1e4F))
      fail("its multiplier is no number from 1 to 10000");
    config_.probing_multiplier = fixed_.probing_multiplier;
    for (std::size_t i = 0; i < fixed_.order; ++i) {
      counts_.push_back(at<std::uint64_t>(fixed_end + kEntryBytes * i));
      // Every n-gram takes a bit at least; so no sum of sizes overflows.
      require(counts_[i] < 8 * file_.size(), ("its number of " + order_name(i + 1) + " is").c_str(),
              counts_[i]);
    }
    require(counts_[0] > 0 && counts_[0] < UINT32_MAX, "its number of words is", counts_[0]);
    header_ = (fixed_end + kEntryBytes * fixed_.order + 7) / 8 * 8;
  }

  void require_room(std::uint64_t size) const {
    if (size > file_.size() - header_) {
      fail("it has " + std::to_string(file_.size()) + " bytes, its header speaks of " +
           std::to_string(header_ + size));
    }
  }

  // A logarithm of a probability may be minus infinity, a backoff may not.
  void check_numbers(float log_prob, float backoff, std::size_t order) const {
    if (!std::isnan(log_prob) && log_prob != std::numeric_limits<float>::infinity() && std::isfinite(backoff))
      return;
    fail("a probability among its " + order_name(order) + " is no number");
  }

  // Hash tables: an empty bucket ends every chain.
  template <class Table, class Check>
  std::uint64_t check_table(std::uint64_t offset, std::uint64_t entries, const char* name,
                            const Check& check) const {
    const std::uint64_t size = Table::Size(entries, fixed_.probing_multiplier);
    bool has_end = false;
    for (std::uint64_t i = offset; i + sizeof(typename Table::Entry) <= offset + size;
         i += sizeof(typename Table::Entry)) {
      const auto entry = at<typename Table::Entry>(i);
      has_end |= entry.GetKey() == 0;
      check(entry);
    }
    if (!has_end) fail(std::string("its table of ") + name + " has no empty place");
    return offset + size;
  }

  template <class Value>
  void check_hashed() {
    using Weights = typename Value::Weights;
    using Words = util::ProbingHashTable<ngram::ProbingVocabularyEntry, util::IdentityHash>;
    using Middle = util::ProbingHashTable<typename Value::ProbingEntry, util::IdentityHash>;
    using Longest = util::ProbingHashTable<ngram::detail::ProbEntry, util::IdentityHash>;
    const std::uint64_t vocabulary = ngram::ProbingVocabulary::Size(counts_[0], config_);
    require_room(vocabulary + ngram::detail::HashedSearch<Value>::Size(counts_, config_));
    const auto bound = at<std::uint32_t>(header_ + 4);
    require(bound > 0 && bound <= counts_[0] + 1, "its words are said to be", bound);
    check_table<Words>(header_ + kEntryBytes, counts_[0], "words",
                       [&](const ngram::ProbingVocabularyEntry& entry) {
                         require(entry.value < bound, "its vocabulary holds word number", entry.value);
                       });
    std::uint64_t place = header_ + vocabulary;
    for (std::uint64_t i = 0; i <= counts_[0]; ++i, place += sizeof(Weights))
      check_weights(at<Weights>(place), 1);
    for (std::size_t order = 2; order < counts_.size(); ++order) {
      place = check_table<Middle>(
          place, counts_[order - 1], order_name(order).c_str(),
          [&](const typename Value::ProbingEntry& entry) { check_weights(entry.value, order); });
    }
    check_table<Longest>(place, counts_.back(), order_name(counts_.size()).c_str(),
                         [&](const ngram::detail::ProbEntry& entry) {
                           check_numbers(entry.value.prob, 0.0F, counts_.size());
                         });
  }

  void check_weights(const lm::ProbBackoff& weights, std::size_t order) const {
    check_numbers(weights.prob, weights.backoff, order);
  }
  void check_weights(const lm::RestWeights& weights, std::size_t order) const {
    check_numbers(weights.prob, weights.backoff, order);
    check_numbers(weights.rest, 0.0F, order);
  }

  // Tries: pointers rise and stay inside the next order.
  template <class Quant, class Bhiksha>
  void check_trie() {
    constexpr bool quantised = Quant::kModelTypeAdd == ngram::kQuantAdd;
    constexpr bool array = Bhiksha::kModelTypeAdd == ngram::kArrayAdd;
    const std::uint64_t vocabulary = ngram::SortedVocabulary::Size(counts_[0], config_);
    require_room(vocabulary + kEntryBytes);
    const std::uint64_t words = at<std::uint64_t>(header_);
    require(words < counts_[0], "its words are said to be", words);
    std::uint64_t place = header_ + vocabulary;
    if constexpr (quantised) {
      config_.prob_bits = at<std::uint8_t>(place + 1);
      config_.backoff_bits = at<std::uint8_t>(place + 2);
      require(config_.prob_bits >= 1 && config_.prob_bits <= 25,
              "bits of its probabilities:", config_.prob_bits);
      require(config_.backoff_bits >= 1 && config_.backoff_bits <= 25,
              "bits of its backoffs:", config_.backoff_bits);
    }
    const std::uint64_t unigrams = place + Quant::Size(fixed_.order, config_);
    if constexpr (array) {
      const std::uint64_t first = unigrams + trie::Unigram::Size(counts_[0]);
      if (counts_.size() > 2) {
        require_room(first + kEntryBytes - header_);
        config_.pointer_bhiksha_bits = at<std::uint8_t>(first + 1);
      }
    }
    require_room(vocabulary + trie::TrieSearch<Quant, Bhiksha>::Size(counts_, config_));
    check_unigrams(unigrams);
    place = unigrams + trie::Unigram::Size(counts_[0]);
    for (std::size_t order = 2; order < counts_.size(); ++order)
      place = check_middle<Quant, Bhiksha>(place, order);
    const std::uint8_t word_bits = util::RequiredBits(counts_[0]);
    const std::uint8_t bits = static_cast<std::uint8_t>(word_bits + Quant::LongestBits(config_));
    for (std::uint64_t i = 0; i < counts_.back(); ++i)
      check_entry<quantised>(place, i * bits + word_bits, counts_.size(), true);
  }

  void check_unigrams(std::uint64_t place) const {
    std::uint64_t before = 0;
    for (std::uint64_t i = 0; i <= counts_[0]; ++i) {
      const auto value = at<trie::UnigramValue>(place + i * sizeof(trie::UnigramValue));
      require(value.next >= before && value.next <= counts_[1], "a word's pointer to 2-grams is", value.next);
      before = value.next;
      if (i < counts_[0]) check_weights(value.weights, 1);
    }
  }

  template <class Quant, class Bhiksha>
  std::uint64_t check_middle(std::uint64_t place, std::size_t order) const {
    constexpr bool quantised = Quant::kModelTypeAdd == ngram::kQuantAdd;
    const std::uint64_t entries = counts_[order - 1];
    const std::uint64_t most = counts_[order];
    const std::uint8_t values = Quant::MiddleBits(config_);
    const std::uint8_t word_bits = util::RequiredBits(counts_[0]);
    const std::uint8_t inlined = Bhiksha::InlineBits(entries + 1, most, config_);
    const std::uint64_t bits = std::uint64_t{word_bits} + values + inlined;
    const std::uint64_t array_size = Bhiksha::Size(entries + 1, most, config_);
    const std::uint8_t* const base = file_.data() + place + array_size;
    const Segments segments = segments_of<Bhiksha>(place, most >> inlined, order);
    std::uint64_t before = 0;
    std::uint64_t segment = 0;
    for (std::uint64_t i = 0; i <= entries; ++i) {
      while (segment < segments.count && segments.starts[segment + 1] <= i) ++segment;
      const std::uint64_t low = read_bits(base, i * bits + word_bits + values, inlined);
      const std::uint64_t next = (segment << inlined) | low;
      if (next < before || next > most)
        fail("a pointer of its " + order_name(order) + " is " + std::to_string(next));
      before = next;
      if (i < entries) check_entry<quantised>(place + array_size, i * bits + word_bits, order, false);
    }
    return place + trie::BitPackedMiddle<Bhiksha>::Size(values, entries, counts_[0], most, config_);
  }

  // Where the pointers' high bits count up: starts[s] is the first entry of high bits s. None: there are no
  // such bits.
  struct Segments {
    const std::uint64_t* starts = nullptr;
    std::uint64_t count = 0;  // of those behind the first
  };

  template <class Bhiksha>
  Segments segments_of(std::uint64_t place, std::uint64_t count, std::size_t order) const {
    if constexpr (Bhiksha::kModelTypeAdd != ngram::kArrayAdd) {
      return {};
    } else {
      const std::uint64_t aligned =
          (place + 7) / 8 * 8 + kEntryBytes;  // the file is mapped to a page's beginning
      const auto* const starts = reinterpret_cast<const std::uint64_t*>(file_.data() + aligned);
      for (std::uint64_t i = 0; i <= count; ++i) {
        if (i == 0 ? starts[0] != 0 : starts[i] < starts[i - 1])
          fail("the pointers' table of its " + order_name(order) + " holds " + std::to_string(starts[i]));
      }
      return {starts, count};
    }
  }

  // The numbers of an entry that lie from bit `bit` behind `base` on.
  template <bool quantised>
  void check_entry(std::uint64_t base, std::uint64_t bit, std::size_t order, bool longest) const {
    const std::uint8_t* const bytes = file_.data() + base;
    if constexpr (quantised) {
      const std::uint64_t tables = header_ + ngram::SortedVocabulary::Size(counts_[0], config_) + kEntryBytes;
      const std::uint64_t probs = std::uint64_t{1} << config_.prob_bits;
      const std::uint64_t backoffs = std::uint64_t{1} << config_.backoff_bits;
      const std::uint64_t table = tables + (order - 2) * (probs + backoffs) * sizeof(float);
      const std::uint8_t skipped = longest ? std::uint8_t{0} : config_.backoff_bits;
      const std::uint64_t prob = read_bits(bytes, bit + skipped, config_.prob_bits);
      float backoff = 0.0F;
      if (!longest) {
        const std::uint64_t index = read_bits(bytes, bit, config_.backoff_bits);
        backoff = at<float>(table + (probs + index) * sizeof(float));
      }
      check_numbers(at<float>(table + prob * sizeof(float)), backoff, order);
    } else {
      constexpr std::uint64_t kNegative = 0x80000000;  // the sign of every probability is left out
      check_numbers(as_float(read_bits(bytes, bit, 31) | kNegative),
                    longest ? 0.0F : as_float(read_bits(bytes, bit + 31, 32)), order);
    }
  }

  const std::string& path_;
  const MappedFile file_;
  ngram::FixedWidthParameters fixed_{};
  ngram::Config config_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t header_ = 0;
};

}  // namespace

void check_kenlm_binary(const std::string& path) {
  Checker(path).run();
}

}  // namespace speechmill
