#include "text/spoken_titles.h"

#include <algorithm>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace speechmill {
namespace {

std::size_t place_of(const char* letters) {
  return static_cast<std::size_t>(letters[0] & 31) * 32 + static_cast<std::size_t>(letters[1] & 31);
}

}  // namespace

SpokenTitles::SpokenTitles(std::unordered_map<std::string, std::string> said) : said_(std::move(said)) {
  for (const auto& [title, spoken] : said_) {
    const std::string word = title + ' ';
    for (std::size_t i = 0; i < 2; ++i) letters_[i][place_of(word.data() + i)] = true;
    const std::pair<char, char> pair(word[0], word[1]);
    if (std::find(pairs_.begin(), pairs_.end(), pair) == pairs_.end()) pairs_.push_back(pair);
  }
}

bool SpokenTitles::may_begin(const char* word) const {
  return letters_[0][place_of(word)] && letters_[1][place_of(word + 1)];
}

// The next word behind a place that may be a title, or the end. Most words are none: sixteen bytes at a time.
const char* SpokenTitles::next(const char* at, const char* end) const {
#ifdef __SSE2__
  for (; at < end; at += 16) {
    const auto load = [at](int offset) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + offset));
    };
    __m128i found = _mm_setzero_si128();
    for (const auto& [first, second] : pairs_) {
      found = _mm_or_si128(found, _mm_and_si128(_mm_cmpeq_epi8(load(1), _mm_set1_epi8(first)),
                                                _mm_cmpeq_epi8(load(2), _mm_set1_epi8(second))));
    }
    const int mask = _mm_movemask_epi8(_mm_and_si128(found, _mm_cmpeq_epi8(load(0), _mm_set1_epi8(' '))));
    if (mask != 0) return std::min(at + __builtin_ctz(static_cast<unsigned>(mask)) + 1, end);
  }
  return end;
#else
  while (at < end && !(*at == ' ' && may_begin(at + 1))) ++at;
  return std::min(at + 1, end);
#endif
}

std::string SpokenTitles::say(const char* begin, const char* end) const {
  std::string text;
  if (said_.empty()) return text;
  const char* copied = begin;
  for (const char* word = begin; word < end; word = next(word, end)) {
    if (!may_begin(word)) continue;
    const char* const stop = std::find(word, end, ' ');
    if (stop == end) break;  // the last word, which stands before none
    const auto spoken = said_.find(std::string(word, stop));
    if (spoken == said_.end()) continue;
    text.append(copied, static_cast<std::size_t>(word - copied)).append(spoken->second);
    copied = stop;
  }
  if (copied != begin) text.append(copied, static_cast<std::size_t>(end - copied));
  return text;
}

}  // namespace speechmill
