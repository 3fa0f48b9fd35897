// The words of a transcript as a graph: alternations `{ a b / c / @ }` are parallel paths, nested as deep as
// they come. Words are what stands between ASCII blanks; `@` is nothing said; `word;tag` loses its tag,
// `word*` its star and `\` vanishes, as NIST's transcripts have them. Knows nothing of ids, times of files or
// scores.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace speechmill::alignment {

struct Rules {
  bool deletable = false;  // `(word)` may be missing: neither error nor, as NIST counts, a wrong word
  bool fragments = false;  // `wo-` and `-rd` equal every word that begins, or ends, so
};

struct Arc {
  std::string_view shown;  // as written: a deletable word with its parentheses
  std::string_view said;   // what is compared
  std::uint64_t hash = 0;  // of `said`
  std::uint32_t first_before = 0;
  std::uint32_t before = 0;  // how many arcs may stand before this one: before_[first_before …]
  bool nothing = false;      // `@`
  bool deletable = false;
  bool fragment = false;
};

// Arc 0 is the start and holds no word. An arc's number is greater than those of the arcs before it.
class WordGraph {
public:
  // The text must outlive the graph. Throws std::invalid_argument with a sentence: an alternation that does
  // not end, that holds no word, or a brace inside a word.
  void parse(std::string_view text, const Rules& rules);

  const std::vector<Arc>& arcs() const { return arcs_; }
  const std::vector<std::uint32_t>& before() const { return before_; }
  const std::vector<std::uint32_t>& last() const { return last_; }
  // One path, and nothing on it but plain words.
  bool plain() const { return plain_; }

private:
  void sequence(std::string_view text, std::vector<std::uint32_t>* ends);
  void alternation(std::string_view inner, std::vector<std::uint32_t>* ends);
  void word(std::string_view token, bool marked, std::vector<std::uint32_t>* ends);

  std::vector<Arc> arcs_;
  std::vector<std::uint32_t> before_;
  std::vector<std::uint32_t> last_;
  std::deque<std::string> owned_;  // words that are not written as they are compared
  Rules rules_;
  bool plain_ = true;
};

// Whether two words are equal; either may be a fragment.
bool same_word(const Arc& one, const Arc& other);

}  // namespace speechmill::alignment
