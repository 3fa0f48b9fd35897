// The cheapest way to make one transcript of another, as NIST's scoring has it: a substitution costs 4, a
// word missing or added 3, an optionally deletable word 2, `@` a thousandth; by time, what the times differ
// by. Where two ways cost the same, the last step is a pair before a missing word before an added one, and of
// several words before it the first. Counts nothing and reads no file.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "alignment/word_graph.h"

namespace speechmill::alignment {

enum class Kind : char { correct = 'C', substitution = 'S', deletion = 'D', insertion = 'I' };

// Numbers of arcs; 0 where the side has no word there.
struct Step {
  Kind kind;
  std::uint32_t reference;
  std::uint32_t hypothesis;
};

// Start and end of every word in seconds, in the order of the arcs (arc 1 first).
using Times = std::vector<std::pair<double, double>>;

// The steps in order, `@` left out. Throws std::invalid_argument where the two are too long to be compared.
std::vector<Step> align(const WordGraph& reference, const WordGraph& hypothesis);
std::vector<Step> align_by_time(const WordGraph& reference, const WordGraph& hypothesis,
                                const Times& reference_times, const Times& hypothesis_times);

// The same for two transcripts without alternations, deletable words and `@`; `align` calls it where it can.
std::vector<Step> align_plain(const WordGraph& reference, const WordGraph& hypothesis);

}  // namespace speechmill::alignment
