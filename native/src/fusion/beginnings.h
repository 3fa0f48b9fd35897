// A set of words that is asked for words and for beginnings of words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace speechmill::fusion {

// Code points of UTF-8 text.
std::size_t letters_of(std::string_view text);

class Beginnings {
public:
  explicit Beginnings(std::vector<std::string> words);

  bool empty() const { return words_.empty(); }
  bool has_word(std::string_view word) const;
  bool has_beginning(std::string_view beginning) const;
  // Letters of the shortest word that begins so; 0 where none does.
  std::size_t shortest(std::string_view beginning) const;

private:
  std::vector<std::string>::const_iterator first(std::string_view beginning) const;

  std::vector<std::string> words_;  // sorted, each once
};

}  // namespace speechmill::fusion
