#include "text/numerals.h"

#include <algorithm>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace speechmill {
namespace {

bool is_numeral(char c) {
  return c == 'I' || c == 'V' || c == 'X';
}

bool is_large_numeral(char c) {
  return is_numeral(c) || c == 'L' || c == 'C' || c == 'D' || c == 'M';
}

bool is_small(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_capital(char c) {
  return c >= 'A' && c <= 'Z';
}

bool is_word(char c) {
  return is_small(c) || is_capital(c) || (c >= '0' && c <= '9');
}

// Signs above ASCII may be blanks, quotation marks, nothing at all: whoever meets one does not know.
bool is_unknown(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}

// Between tokens: the normaliser takes parentheses away before it looks for numbers.
bool is_gap(char c) {
  return (static_cast<unsigned char>(c) <= ' ') || c == '(' || c == ')';
}

// The next of the letters that may begin a numeral: before another, or (I, V and X) before what ends a word
// (a blank ends `I` as a pronoun).
const char* next_candidate(const char* at, const char* end) {
#ifdef __SSE2__
  const auto equal = [](__m128i bytes, char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
  for (; at < end; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i one = equal(bytes, 'I');
    const __m128i others = _mm_or_si128(equal(bytes, 'V'), equal(bytes, 'X'));
    const __m128i large = _mm_or_si128(_mm_or_si128(equal(bytes, 'L'), equal(bytes, 'C')),
                                       _mm_or_si128(equal(bytes, 'D'), equal(bytes, 'M')));
    if (_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(one, others), large)) == 0) continue;
    const __m128i following = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 1));
    const __m128i numeral =
        _mm_or_si128(equal(following, 'I'), _mm_or_si128(equal(following, 'V'), equal(following, 'X')));
    const __m128i following_large = _mm_or_si128(_mm_or_si128(equal(following, 'L'), equal(following, 'C')),
                                                 _mm_or_si128(equal(following, 'D'), equal(following, 'M')));
    // the first bytes of signs that may be nothing at all: a soft hyphen, a blank of no width, a byte order
    // mark
    const __m128i nothing = _mm_or_si128(equal(following, '\xC2'),
                                         _mm_or_si128(equal(following, '\xE2'), equal(following, '\xEF')));
    const __m128i lower = _mm_or_si128(following, _mm_set1_epi8(0x20));
    const __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(lower, _mm_set1_epi8('a' - 1)),
                                         _mm_cmplt_epi8(lower, _mm_set1_epi8('z' + 1)));
    const __m128i inside = _mm_andnot_si128(numeral, letter);
    const __m128i pronoun = _mm_and_si128(one, equal(following, ' '));
    const __m128i small = _mm_andnot_si128(_mm_or_si128(inside, pronoun), _mm_or_si128(one, others));
    const __m128i pair = _mm_and_si128(_mm_or_si128(_mm_or_si128(one, others), large),
                                       _mm_or_si128(_mm_or_si128(numeral, following_large), nothing));
    const __m128i found = _mm_or_si128(small, pair);
    const int mask = _mm_movemask_epi8(found);
    if (mask != 0) return std::min(at + __builtin_ctz(static_cast<unsigned>(mask)), end);
  }
  return end;
#else
  return std::find_if(at, end, is_large_numeral);
#endif
}

// Whether the token before `token` may be a name: kings have capitals.
bool follows_name(const char* begin, const char* token) {
  while (token > begin && is_gap(token[-1])) --token;
  for (; token > begin && !is_gap(token[-1]); --token) {
    if (is_capital(token[-1]) || is_unknown(token[-1])) return true;
  }
  return false;
}

// Where a word ends behind a numeral and the ending that it may have (XIVth, IIs); null where letters go on.
const char* behind_ending(const char* at, const char* end) {
  for (const char* ending : {"", "s", "st", "nd", "rd", "th"}) {
    const std::size_t length = std::strlen(ending);
    if (static_cast<std::size_t>(end - at) < length || std::memcmp(at, ending, length) != 0) continue;
    if (at + length == end || !is_word(at[length])) return at + length;
  }
  return nullptr;
}

// Whether the letter at `first` begins a numeral of two letters or more, with its ending, or one of four and
// more of all seven letters: alone, or joined to something by a sign (II-Charles).
bool is_long_numeral(const char* begin, const char* first, const char* end) {
  if (first > begin && is_word(first[-1])) return false;
  const char* last = first;
  while (last < end && is_numeral(*last)) ++last;
  if (last - first > 1 && behind_ending(last, end) != nullptr) return true;
  last = first;
  while (last < end && is_large_numeral(*last)) ++last;
  if ((first > begin && is_unknown(first[-1])) || (last < end && is_unknown(*last))) return true;
  return last - first > 3 && (last == end || !is_word(*last));
}

// Whether the letters at `first` are a token of their own that the normaliser may read as a numeral.
bool may_be_numeral(const char* begin, const char* first, const char* end) {
  const char* token = first;
  for (; token > begin && !is_gap(token[-1]); --token) {
    if (is_word(token[-1])) return false;
    if (is_unknown(token[-1])) break;
  }
  const char* last = first;
  while (last < end && is_numeral(*last)) ++last;
  const char* stop = last;
  for (; stop < end && !is_gap(*stop) && !is_unknown(*stop); ++stop) {
    if (is_word(*stop)) return false;
  }
  const bool unknown = (stop < end && is_unknown(*stop)) || (token > begin && is_unknown(token[-1]));
  if (unknown || last - first > 1) return true;
  return (*first != 'I' || stop > last) && follows_name(begin, token);
}

}  // namespace

bool may_hold_numeral(const char* begin, const char* end) {
  for (const char* at = next_candidate(begin, end); at < end; at = next_candidate(at + 1, end)) {
    if (is_long_numeral(begin, at, end) || (is_numeral(*at) && may_be_numeral(begin, at, end)))
      return std::any_of(begin, end, [](char c) { return is_small(c) || is_unknown(c); });
  }
  return false;
}

}  // namespace speechmill
