// Running text → clean sentences of an alphabet, many megabytes a second.
//
// The rules are those of the corpora's normaliser, which this class does not know: it is given a table of
// what the normaliser makes of each character, and its lists of words with an apostrophe at an edge. It
// decides what follows from these alone. A sentence that holds anything else (an entity, a tag, a character
// outside the table) is handed back as it stands, with the place where its clean form belongs. For what it
// decides, the answer is the normaliser's to the byte (tests/lm/test_cleaning.py compares them).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "text/held_out.h"
#include "text/spoken_titles.h"

namespace speechmill {

// What the normaliser makes of a character wherever it stands.
struct CharacterRule {
  char32_t code = 0;
  std::string text;      // blanks and apostrophes in it count as such
  bool space = false;    // is white space itself
  bool capital = false;  // a sentence may begin with it
};

struct CleanerRules {
  std::vector<CharacterRule> characters;
  std::vector<std::string> leading_apostrophe;   // words as in 'em
  std::vector<std::string> trailing_apostrophe;  // words as in o'
  std::vector<std::string> titles;               // "Mr": a point behind them ends no sentence
  bool apostrophe = true;                        // the alphabet has one
  bool spaced = true;                            // the alphabet has a blank; else words stand without any
  // Titles as they are said before a name, both in small ASCII letters: "mr" to "mister".
  std::unordered_map<std::string, std::string> spoken;
};

// A sentence left to the normaliser; its clean form goes before byte `offset` of the clean lines.
struct OddSentence {
  std::size_t offset = 0;
  std::string raw;
};

struct CleanedText {
  std::string lines;  // clean sentences, every line ended
  std::vector<OddSentence> odd;
  SentenceTally tally;    // without the odd ones
  bool not_utf8 = false;  // nothing else is set then
};

class TextCleaner {
public:
  explicit TextCleaner(const CleanerRules& rules);

  // `wrapped`: the lines were broken to a width. `held_out` may be null.
  CleanedText clean(std::string_view raw, bool wrapped, const HeldOut* held_out) const;

private:
  friend class SentenceScan;

  struct Mapped {
    bool known = false;
    bool space = false;
    bool capital = false;
    std::uint8_t size = 0;
    char text[12] = {};
  };
  enum class Kind : std::uint8_t {
    kOdd,
    kLetter,
    kBlank,
    kApostrophe,
    kDigit,
    kEnd,
    kLine,
    kParenthesis,
    kOther
  };

  void classify();
  const Mapped& mapped(char32_t code) const;

  std::array<Kind, 256> kinds_{};
  std::array<char, 256> letters_{};
  std::vector<Mapped> low_;  // by code, up to kLowCodes
  std::unordered_map<char32_t, Mapped> high_;
  Mapped unknown_;
  std::unordered_set<std::string> leading_;
  std::unordered_set<std::string> trailing_;
  std::unordered_set<std::string> titles_;
  SpokenTitles spoken_;
  bool apostrophe_;
  bool spaced_;
  bool latin_ = false;  // A to Z and a to z become a to z
};

}  // namespace speechmill
