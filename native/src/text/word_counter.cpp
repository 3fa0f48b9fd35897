#include "text/word_counter.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <queue>
#include <stdexcept>

namespace speechmill {
namespace {

constexpr std::uint64_t kEntryBytes = 96;  // of the hash table for one word, beside its letters

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw std::runtime_error("word counts " + path + " cannot be " + what + ": " + std::strerror(errno));
}

// One run, read word by word. Its lines are `word count`, sorted by word.
class Run {
public:
  explicit Run(const std::string& path) : path_(path), file_(path) {
    if (!file_) fail(path, "opened");
    next();
  }

  bool good() const { return good_; }
  const WordCount& word() const { return word_; }
  void next() {
    good_ = static_cast<bool>(file_ >> word_.word >> word_.count);
    if (file_.bad()) fail(path_, "read");
  }

private:
  std::string path_;
  std::ifstream file_;
  WordCount word_;
  bool good_ = false;
};

struct LaterWord {
  bool operator()(const Run* a, const Run* b) const { return a->word().word > b->word().word; }
};

bool more_frequent(const WordCount& a, const WordCount& b) {
  return a.count != b.count ? a.count > b.count : a.word < b.word;
}

}  // namespace

WordCounter::WordCounter(std::string prefix, std::uint64_t memory_bytes)
    : prefix_(std::move(prefix)), memory_bytes_(memory_bytes) {}

WordCounter::~WordCounter() {
  for (const std::string& path : runs_) std::remove(path.c_str());
}

void WordCounter::add(std::string_view text) {
  std::string word;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
    if (text.empty()) return;
    const std::size_t size = std::min(text.find_first_of(" \n"), text.size());
    word.assign(text.substr(0, size));
    text.remove_prefix(size);
    const auto [entry, fresh] = counts_.try_emplace(word, 0);
    ++entry->second;
    if (!fresh) continue;
    used_bytes_ += kEntryBytes + (size > 15 ? size : 0);
    if (used_bytes_ > memory_bytes_) spill();
  }
}

std::vector<WordCount> WordCounter::sorted() const {
  std::vector<WordCount> words;
  words.reserve(counts_.size());
  for (const auto& [word, count] : counts_) words.push_back({word, count});
  std::sort(words.begin(), words.end(),
            [](const WordCount& a, const WordCount& b) { return a.word < b.word; });
  return words;
}

void WordCounter::spill() {
  const std::string path = prefix_ + std::to_string(runs_.size());
  runs_.push_back(path);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file) fail(path, "opened");
  for (const WordCount& word : sorted()) file << word.word << ' ' << word.count << '\n';
  file.close();
  if (!file) fail(path, "written");
  counts_.clear();
  used_bytes_ = 0;
}

template <class Take>
void WordCounter::merge(const Take& take) {
  if (runs_.empty()) {
    for (const auto& [word, count] : counts_) take(WordCount{word, count});
    return;
  }
  if (!counts_.empty()) spill();
  std::vector<std::unique_ptr<Run>> runs;
  std::priority_queue<Run*, std::vector<Run*>, LaterWord> heads;
  for (const std::string& path : runs_) {
    runs.push_back(std::make_unique<Run>(path));
    if (runs.back()->good()) heads.push(runs.back().get());
  }
  WordCount sum;
  while (!heads.empty()) {
    Run* const run = heads.top();
    heads.pop();
    if (run->word().word != sum.word) {
      if (sum.count > 0) take(sum);
      sum = {run->word().word, 0};
    }
    sum.count += run->word().count;
    run->next();
    if (run->good()) heads.push(run);
  }
  if (sum.count > 0) take(sum);
}

std::vector<WordCount> WordCounter::top(std::size_t most) {
  std::priority_queue<WordCount, std::vector<WordCount>, decltype(&more_frequent)> best(&more_frequent);
  merge([&](const WordCount& word) {
    if (best.size() == most && (most == 0 || !more_frequent(word, best.top()))) return;
    if (best.size() == most) best.pop();
    best.push(word);
  });
  std::vector<WordCount> words(best.size());
  for (std::size_t i = words.size(); i-- > 0; best.pop()) words[i] = best.top();
  return words;
}

std::uint64_t WordCounter::types() {
  std::uint64_t types = 0;
  merge([&](const WordCount&) { ++types; });
  return types;
}

}  // namespace speechmill
