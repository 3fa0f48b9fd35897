// Sentences that must not be learned from: the dev and test transcripts of a store.
//
// Long ones are left out wherever they turn up, short ones ("yes") stay and are counted. Immutable after
// construction, shared by threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace speechmill {

// What became of sentences: read = kept + left_out + refused_*; short_overlap and readmitted are among kept.
struct SentenceTally {
  std::uint64_t read = 0;
  std::uint64_t kept = 0;
  std::uint64_t words = 0;  // of the kept
  std::uint64_t longest_words = 0;
  std::uint64_t left_out = 0;
  std::uint64_t readmitted = 0;
  std::uint64_t short_overlap = 0;
  std::uint64_t refused_numbers = 0;
  std::uint64_t refused_empty = 0;
};

class HeldOut {
public:
  // `sentences` are clean, words divided by one blank; from `long_words` words on they are left out, unless
  // `keep_long` re-admits them.
  HeldOut(const std::vector<std::string>& sentences, std::size_t long_words, bool keep_long);
  HeldOut(const HeldOut&) = delete;
  HeldOut& operator=(const HeldOut&) = delete;

  // Decides on one clean sentence and counts it as read; true if it may be learned from.
  bool admit(std::string_view sentence, SentenceTally* tally) const;

  // The admitted ones of clean sentences, one a line, every line ended.
  std::string admit_lines(std::string_view lines, SentenceTally* tally) const;

private:
  std::string text_;  // all sentences; the sets look into it
  std::unordered_set<std::string_view> long_;
  std::unordered_set<std::string_view> short_;
  bool keep_long_;
};

}  // namespace speechmill
