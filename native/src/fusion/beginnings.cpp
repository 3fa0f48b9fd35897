#include "fusion/beginnings.h"

#include <algorithm>
#include <utility>

namespace speechmill::fusion {
namespace {

bool begins(std::string_view word, std::string_view beginning) {
  return word.substr(0, beginning.size()) == beginning;
}

}  // namespace

std::size_t letters_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

Beginnings::Beginnings(std::vector<std::string> words) : words_(std::move(words)) {
  std::sort(words_.begin(), words_.end());
  words_.erase(std::unique(words_.begin(), words_.end()), words_.end());
}

std::vector<std::string>::const_iterator Beginnings::first(std::string_view beginning) const {
  return std::lower_bound(words_.begin(), words_.end(), beginning);
}

bool Beginnings::has_word(std::string_view word) const {
  const auto found = first(word);
  return found != words_.end() && *found == word;
}

bool Beginnings::has_beginning(std::string_view beginning) const {
  const auto found = first(beginning);
  return found != words_.end() && begins(*found, beginning);
}

std::size_t Beginnings::shortest(std::string_view beginning) const {
  std::size_t least = 0;
  for (auto word = first(beginning); word != words_.end() && begins(*word, beginning); ++word) {
    const std::size_t letters = letters_of(*word);
    if (least == 0 || letters < least) least = letters;
  }
  return least;
}

}  // namespace speechmill::fusion
