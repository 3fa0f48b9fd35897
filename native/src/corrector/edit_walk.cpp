#include "corrector/edit_walk.h"

#include <algorithm>

namespace speechmill {

std::vector<EditWalk::Found> EditWalk::within(int limit) {
  limit_ = limit;
  const std::size_t width = word_.size() + 1;
  const std::size_t depths = width + static_cast<std::size_t>(limit);
  rows_.assign(depths * width, kFar);  // cells outside the band are never written
  for (std::size_t i = 0; i < width && i <= static_cast<std::size_t>(limit); ++i) {
    rows_[i] = static_cast<std::uint8_t>(i);
  }
  path_.clear();
  found_.clear();
  visit(LexiconTrie::root(), 0);
  return std::move(found_);
}

void EditWalk::visit(std::uint32_t at, std::size_t depth) {
  const std::uint32_t index = trie_.word(at);
  if (index != 0 && cell(depth, word_.size()) <= limit_) found_.push_back({path_, index});
  if (depth == word_.size() + static_cast<std::size_t>(limit_)) return;
  trie_.each_child(at, [&](int label, std::uint32_t child) {
    path_.push_back(label);
    if (fill_row(depth + 1)) visit(child, depth + 1);
    path_.pop_back();
  });
}

// Distances of the path to every beginning of the word within reach; false if all are above the limit.
bool EditWalk::fill_row(std::size_t depth) {
  const std::size_t width = word_.size() + 1;
  const auto reach = static_cast<std::size_t>(limit_);
  const std::size_t first = depth > reach ? depth - reach : 0;
  const std::size_t last = std::min(word_.size(), depth + reach);
  std::uint8_t* row = &rows_[depth * width];
  int best = kFar;
  for (std::size_t i = first; i <= last; ++i) {
    int edits = cell(depth - 1, i) + 1;  // the path's letter was inserted
    if (i > 0) {
      edits = std::min(edits, cell(depth - 1, i - 1) + (path_[depth - 1] == word_[i - 1] ? 0 : 1));
      if (i > first) edits = std::min(edits, row[i - 1] + 1);  // the word's letter was removed
      edits = std::min<int>(edits, swapped(depth, i));
    }
    row[i] = static_cast<std::uint8_t>(std::min<int>(edits, kFar));
    best = std::min(best, edits);
  }
  return best <= limit_;
}

// Neighbours that were swapped, also with one letter removed from between them or inserted between them.
std::uint8_t EditWalk::swapped(std::size_t depth, std::size_t i) const {
  const auto path = [&](std::size_t back) { return path_[depth - back]; };
  const auto word = [&](std::size_t back) { return word_[i - back]; };
  int edits = kFar;
  if (depth >= 2 && i >= 2 && path(1) == word(2) && path(2) == word(1)) edits = cell(depth - 2, i - 2) + 1;
  if (limit_ < 2) return static_cast<std::uint8_t>(edits);
  if (depth >= 2 && i >= 3 && path(1) == word(3) && path(2) == word(1)) {
    edits = std::min(edits, cell(depth - 2, i - 3) + 2);
  }
  if (depth >= 3 && i >= 2 && path(1) == word(2) && path(3) == word(1)) {
    edits = std::min(edits, cell(depth - 3, i - 2) + 2);
  }
  return static_cast<std::uint8_t>(std::min<int>(edits, kFar));
}

}  // namespace speechmill
