#include "alignment/align.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

namespace speechmill::alignment {
namespace {

constexpr float kNothing = 0.001f;
constexpr float kBothNothing = 1.0f;
constexpr float kDeletable = 2.0f;
constexpr float kMissing = 3.0f;
constexpr float kSubstitution = 4.0f;
constexpr std::size_t kMostCells = 400'000'000;

struct WordCost {
  float pair(const Arc& one, const Arc& other) const {
    if (one.nothing && other.nothing) return kBothNothing;
    return same_word(one, other) ? 0.0f : kSubstitution;
  }
  float alone(const Arc& arc) const {
    if (arc.nothing) return kNothing;
    return arc.deletable ? kDeletable : kMissing;
  }
  float pair(const Arc& one, std::size_t, const Arc& other, std::size_t) const { return pair(one, other); }
  float alone(const Arc& arc, std::size_t, bool) const { return alone(arc); }
};

struct TimeCost {
  const Times& reference;
  const Times& hypothesis;

  float pair(const Arc& one, std::size_t a, const Arc& other, std::size_t b) const {
    const auto& x = reference[a - 1];
    const auto& y = hypothesis[b - 1];
    const double away = std::fabs(x.first - y.first) + std::fabs(x.second - y.second);
    return static_cast<float>(away + (same_word(one, other) ? 0.0 : 0.001));
  }
  float alone(const Arc& arc, std::size_t at, bool of_reference) const {
    if (arc.nothing) return kNothing;
    const auto& span = of_reference ? reference[at - 1] : hypothesis[at - 1];
    return static_cast<float>(span.second - span.first);
  }
};

struct Cell {
  float cost;
  std::uint32_t back_a;
  std::uint32_t back_b;
};

// Costs of every pair of arcs, and the way back. The sums are single precision and in this order, because
// ties between paths through `@` are decided by them.
template <class Cost>
class Table {
public:
  Table(const WordGraph& a, const WordGraph& b, const Cost& cost) : a_(a), b_(b), cost_(cost) {
    width_ = b.arcs().size();
    if (a.arcs().size() > kMostCells / width_) {
      throw std::invalid_argument("texts of " + std::to_string(a.arcs().size() - 1) + " and " +
                                  std::to_string(width_ - 1) +
                                  " words are too long to be compared as one: divide them into utterances");
    }
    cells_.resize(a.arcs().size() * width_);
    fill();
  }

  std::vector<Step> steps() const {
    std::uint32_t at_a = 0;
    std::uint32_t at_b = 0;
    float best = std::numeric_limits<float>::max();
    for (const std::uint32_t end_a : a_.last()) {
      for (const std::uint32_t end_b : b_.last()) {
        if (cell(end_a, end_b).cost < best) {
          best = cell(end_a, end_b).cost;
          at_a = end_a;
          at_b = end_b;
        }
      }
    }
    std::vector<Step> found;
    while (at_a > 0 || at_b > 0) {
      const Cell& here = cell(at_a, at_b);
      add_step(here, at_a, at_b, &found);
      const std::uint32_t next_b = here.back_b;
      at_a = here.back_a;
      at_b = next_b;
    }
    std::reverse(found.begin(), found.end());
    return found;
  }

private:
  const Cell& cell(std::size_t a, std::size_t b) const { return cells_[a * width_ + b]; }
  Cell& cell(std::size_t a, std::size_t b) { return cells_[a * width_ + b]; }

  void fill() {
    cell(0, 0) = {0.0f, 0, 0};
    for (std::size_t b = 1; b < width_; ++b) cell(0, b) = insertion(0, b);
    for (std::size_t a = 1; a < a_.arcs().size(); ++a) {
      cell(a, 0) = deletion(a, 0);
      for (std::size_t b = 1; b < width_; ++b) {
        const Cell added = insertion(a, b);
        const Cell missing = deletion(a, b);
        const Cell pair = substitution(a, b);
        if (pair.cost <= missing.cost && pair.cost <= added.cost) {
          cell(a, b) = pair;
        } else {
          cell(a, b) = missing.cost < added.cost ? missing : added;
        }
      }
    }
  }

  Cell insertion(std::size_t a, std::size_t b) const {
    const Arc& arc = b_.arcs()[b];
    Cell best{std::numeric_limits<float>::max(), static_cast<std::uint32_t>(a), 0};
    for (std::uint32_t i = 0; i < arc.before; ++i) {
      const std::uint32_t from = b_.before()[arc.first_before + i];
      if (cell(a, from).cost < best.cost) best = {cell(a, from).cost, best.back_a, from};
    }
    best.cost += cost_.alone(arc, b, false);
    return best;
  }

  Cell deletion(std::size_t a, std::size_t b) const {
    const Arc& arc = a_.arcs()[a];
    Cell best{std::numeric_limits<float>::max(), 0, static_cast<std::uint32_t>(b)};
    for (std::uint32_t i = 0; i < arc.before; ++i) {
      const std::uint32_t from = a_.before()[arc.first_before + i];
      if (cell(from, b).cost < best.cost) best = {cell(from, b).cost, from, best.back_b};
    }
    best.cost += cost_.alone(arc, a, true);
    return best;
  }

  Cell substitution(std::size_t a, std::size_t b) const {
    const Arc& one = a_.arcs()[a];
    const Arc& other = b_.arcs()[b];
    Cell best{std::numeric_limits<float>::max(), 0, 0};
    for (std::uint32_t i = 0; i < one.before; ++i) {
      const std::uint32_t from_a = a_.before()[one.first_before + i];
      for (std::uint32_t j = 0; j < other.before; ++j) {
        const std::uint32_t from_b = b_.before()[other.first_before + j];
        if (cell(from_a, from_b).cost < best.cost) best = {cell(from_a, from_b).cost, from_a, from_b};
      }
    }
    best.cost += cost_.pair(one, a, other, b);
    return best;
  }

  void add_step(const Cell& here, std::uint32_t a, std::uint32_t b, std::vector<Step>* found) const {
    const Arc& one = a_.arcs()[a];
    const Arc& other = b_.arcs()[b];
    if (here.back_a == a) {
      if (!other.nothing) found->push_back({other.deletable ? Kind::correct : Kind::insertion, 0, b});
    } else if (here.back_b == b) {
      if (!one.nothing) found->push_back({one.deletable ? Kind::correct : Kind::deletion, a, 0});
    } else if (!(one.nothing && other.nothing)) {
      found->push_back({same_word(one, other) ? Kind::correct : Kind::substitution, a, b});
    }
  }

  const WordGraph& a_;
  const WordGraph& b_;
  const Cost& cost_;
  std::size_t width_ = 0;
  std::vector<Cell> cells_;
};

}  // namespace

std::vector<Step> align(const WordGraph& reference, const WordGraph& hypothesis) {
  if (reference.plain() && hypothesis.plain()) return align_plain(reference, hypothesis);
  const WordCost cost;
  return Table<WordCost>(reference, hypothesis, cost).steps();
}

std::vector<Step> align_by_time(const WordGraph& reference, const WordGraph& hypothesis,
                                const Times& reference_times, const Times& hypothesis_times) {
  const TimeCost cost{reference_times, hypothesis_times};
  return Table<TimeCost>(reference, hypothesis, cost).steps();
}

}  // namespace speechmill::alignment
