// Two rows of words: the costs are whole numbers, and only cells near the diagonal are looked at. What lies
// outside costs more than the answer, so the answer and its ties are those of the whole table.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "alignment/align.h"

namespace speechmill::alignment {
namespace {

constexpr std::int32_t kMissing = 3;
constexpr std::int32_t kSubstitution = 4;
constexpr std::int32_t kFar = std::numeric_limits<std::int32_t>::max() / 2;
constexpr std::size_t kMostCells = 4'000'000'000;
constexpr std::size_t kFirstMargin = 8;

// Numbers of the words of both rows, equal for equal words.
class Numbered {
public:
  Numbered(const std::vector<Arc>& a, const std::vector<Arc>& b) {
    std::size_t slots = 16;
    while (slots < 2 * (a.size() + b.size())) slots *= 2;
    table_.assign(slots, nullptr);
    number(a, &of_a);
    number(b, &of_b);
  }

  std::vector<std::uint32_t> of_a;  // by the arc's number; that of arc 0 means nothing
  std::vector<std::uint32_t> of_b;

private:
  void number(const std::vector<Arc>& arcs, std::vector<std::uint32_t>* numbers) {
    numbers->resize(arcs.size());
    for (std::size_t i = 1; i < arcs.size(); ++i) {
      std::size_t slot = (arcs[i].hash ^ (arcs[i].hash >> 32)) & (table_.size() - 1);
      while (table_[slot] != nullptr && table_[slot]->said != arcs[i].said) {
        slot = (slot + 1) & (table_.size() - 1);
      }
      if (table_[slot] == nullptr) table_[slot] = &arcs[i];
      (*numbers)[i] = static_cast<std::uint32_t>(slot);
    }
  }

  std::vector<const Arc*> table_;
};

class Band {
public:
  // Words 1 … rows against 1 … columns, by their numbers.
  Band(const Numbered& words, std::size_t rows, std::size_t columns)
      : a_(words.of_a.data()),
        b_(words.of_b.data()),
        rows_(static_cast<std::ptrdiff_t>(rows)),
        columns_(static_cast<std::ptrdiff_t>(columns)) {}

  // The cost over diagonals within `margin` of those of the two corners, or more than every way outside.
  std::int32_t fill(std::ptrdiff_t margin) {
    const std::ptrdiff_t skew = columns_ - rows_;
    low_ = std::min<std::ptrdiff_t>(0, skew) - margin;
    width_ = std::max<std::ptrdiff_t>(0, skew) + margin - low_ + 1;
    if (static_cast<std::size_t>(rows_ + 1) > kMostCells / static_cast<std::size_t>(width_)) {
      throw std::invalid_argument(
          "texts of " + std::to_string(rows_) + " and " + std::to_string(columns_) +
          " words differ too much to be compared as one: divide them into utterances");
    }
    steps_.resize(static_cast<std::size_t>((rows_ + 1) * width_));
    std::fill_n(steps_.begin(), width_, 'I');
    // costs_[k] is row i's cell in column i + low_ + k; a row overwrites the one above it from the left.
    costs_.assign(static_cast<std::size_t>(width_ + 1), kFar);
    for (std::ptrdiff_t column = 0; column <= std::min(columns_, low_ + width_ - 1); ++column) {
      costs_[static_cast<std::size_t>(column - low_)] = static_cast<std::int32_t>(column) * kMissing;
    }
    for (std::ptrdiff_t row = 1; row <= rows_; ++row) fill_row(row);
    return costs_[static_cast<std::size_t>(skew - low_)];
  }

  char step(std::ptrdiff_t row, std::ptrdiff_t column) const {
    return steps_[static_cast<std::size_t>(row * width_ + column - row - low_)];
  }

private:
  void fill_row(std::ptrdiff_t row) {
    const std::uint32_t word = a_[row];
    std::ptrdiff_t column = std::max<std::ptrdiff_t>(0, row + low_);
    const std::ptrdiff_t last = std::min(columns_, row + low_ + width_ - 1);
    std::int32_t* cost = costs_.data() + (column - row - low_);
    char* step = steps_.data() + row * width_ + (column - row - low_);
    std::int32_t left = kFar;
    if (column == 0) {
      *cost = left = cost[1] + kMissing;
      *step++ = 'D';
      ++cost;
      ++column;
    }
    for (; column <= last; ++column, ++cost, ++step) {
      const std::int32_t pair = *cost + (word == b_[column] ? 0 : kSubstitution);
      const std::int32_t missing = cost[1] + kMissing;
      const std::int32_t added = left + kMissing;
      left = std::min(pair, std::min(missing, added));
      *cost = left;
      *step = pair == left ? 'S' : (missing < added ? 'D' : 'I');
    }
    // The cell after the last one lies outside the band or the table; the next row has it above itself.
    *cost = kFar;
  }

  const std::uint32_t* a_;
  const std::uint32_t* b_;
  std::ptrdiff_t rows_;
  std::ptrdiff_t columns_;
  std::ptrdiff_t low_ = 0;
  std::ptrdiff_t width_ = 0;
  std::vector<std::int32_t> costs_;
  std::vector<char> steps_;
};

}  // namespace

std::vector<Step> align_plain(const WordGraph& reference, const WordGraph& hypothesis) {
  const std::vector<Arc>& a = reference.arcs();
  const std::vector<Arc>& b = hypothesis.arcs();
  std::size_t rows = a.size() - 1;
  std::size_t columns = b.size() - 1;
  std::vector<Step> found;
  found.reserve(std::max(rows, columns));
  // From the end backwards equal words are always a pair: no other last step is cheaper.
  while (rows > 0 && columns > 0 && same_word(a[rows], b[columns])) {
    found.push_back(
        {Kind::correct, static_cast<std::uint32_t>(rows--), static_cast<std::uint32_t>(columns--)});
  }
  if (rows > 0 || columns > 0) {
    const Numbered words(a, b);
    Band band(words, rows, columns);
    // Ways outside the band cost at least this; what a narrow band finds says how wide is wide enough.
    const std::size_t difference = rows > columns ? rows - columns : columns - rows;
    const auto outside = [&](std::size_t margin) { return 3 * (difference + 2 * (margin + 1)); };
    std::size_t margin = kFirstMargin;
    const auto found_cost = static_cast<std::size_t>(band.fill(kFirstMargin));
    while (outside(margin) <= found_cost && margin < std::max(rows, columns)) ++margin;
    if (margin > kFirstMargin) band.fill(static_cast<std::ptrdiff_t>(margin));
    while (rows > 0 || columns > 0) {
      const char step = band.step(static_cast<std::ptrdiff_t>(rows), static_cast<std::ptrdiff_t>(columns));
      const auto at_a = static_cast<std::uint32_t>(rows);
      const auto at_b = static_cast<std::uint32_t>(columns);
      if (step == 'S') {
        found.push_back({same_word(a[rows], b[columns]) ? Kind::correct : Kind::substitution, at_a, at_b});
      } else {
        found.push_back(step == 'D' ? Step{Kind::deletion, at_a, 0} : Step{Kind::insertion, 0, at_b});
      }
      rows -= step != 'I';
      columns -= step != 'D';
    }
  }
  std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace speechmill::alignment
