// What both programs of the benchmark share: the words, the walk's order, processor time.
#pragma once

#include <time.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <string>
#include <vector>

inline double cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

inline std::vector<std::string> read_words(const char* path) {
  std::ifstream file(path);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word);) words.push_back(word);
  return words;
}

// Which words are looked up, one after the other: each once, in an order that no cache foresees.
inline std::vector<std::string> walk_order(std::vector<std::string> words) {
  std::mt19937_64 random(1);
  for (std::size_t i = words.size(); i > 1; --i) std::swap(words[i - 1], words[random() % i]);
  return words;
}
