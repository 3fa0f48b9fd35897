// How often each word occurs, in bounded memory: sorted runs on disk where the words do not fit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace speechmill {

struct WordCount {
  std::string word;
  std::uint64_t count = 0;
};

class WordCounter {
public:
  // Keeps up to about `memory_bytes` of words; beyond that sorted runs go to files `<prefix>N`.
  WordCounter(std::string prefix, std::uint64_t memory_bytes);
  ~WordCounter();
  WordCounter(const WordCounter&) = delete;
  WordCounter& operator=(const WordCounter&) = delete;

  // Counts the words of a text, divided by blanks and line ends. Throws std::runtime_error where a run cannot
  // be written, with the file and the system's cause.
  void add(std::string_view text);

  // The `most` most frequent words, most frequent first, equal counts in the order of their bytes. Merges the
  // runs, so the memory is that of the answer. Throws std::runtime_error like add().
  std::vector<WordCount> top(std::size_t most);

  // How many different words there are. Throws std::runtime_error like add().
  std::uint64_t types();

  std::size_t runs() const { return runs_.size(); }

private:
  void spill();
  std::vector<WordCount> sorted() const;
  template <class Take>
  void merge(const Take& take);

  std::string prefix_;
  std::uint64_t memory_bytes_;
  std::uint64_t used_bytes_ = 0;
  std::unordered_map<std::string, std::uint64_t> counts_;
  std::vector<std::string> runs_;
};

}  // namespace speechmill
