// Titles of a clean sentence written as they are said: "mr dale" to "mister dale".
#pragma once

#include <array>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace speechmill {

class SpokenTitles {
public:
  // Titles in small letters with what is said for each.
  explicit SpokenTitles(std::unordered_map<std::string, std::string> said);

  // A sentence of words with single blanks between them, its titles before another word replaced; empty where
  // there are none. Up to 24 bytes behind `end` are read.
  std::string say(const char* begin, const char* end) const;

private:
  bool may_begin(const char* word) const;
  const char* next(const char* at, const char* end) const;

  std::unordered_map<std::string, std::string> said_;
  std::vector<std::pair<char, char>> pairs_;         // their first two letters, each once
  std::array<std::array<bool, 1024>, 2> letters_{};  // by the last bits of letters 1 and 2, and 2 and 3
};

}  // namespace speechmill
