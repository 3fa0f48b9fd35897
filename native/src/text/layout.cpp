#include "text/layout.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <vector>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace speechmill {
namespace {

constexpr char kTypographyLead = '\xE2';  // first byte of all curly signs (U+2010 to U+2026)

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_small(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_markup(char c) {
  return c == '\r' || c == '_' || c == '*' || c == kTypographyLead;
}

// The next byte that plain_text() has to look at, or `end`.
const char* next_markup(const char* at, const char* end) {
#ifdef __SSE2__
  const __m128i marks[] = {_mm_set1_epi8('\r'), _mm_set1_epi8('_'), _mm_set1_epi8('*'),
                           _mm_set1_epi8(kTypographyLead)};
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    __m128i found = _mm_cmpeq_epi8(bytes, marks[0]);
    for (int i = 1; i < 4; ++i) found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, marks[i]));
    const int mask = _mm_movemask_epi8(found);
    if (mask != 0) return at + __builtin_ctz(static_cast<unsigned>(mask));
  }
#endif
  while (at < end && !is_markup(*at)) ++at;
  return at;
}

// What stands for a curly sign on a typewriter; empty for other characters.
std::string_view typed(std::string_view sign) {
  if (sign.size() < 3 || sign[1] != '\x80') return {};
  switch (sign[2]) {
    case '\x98':
    case '\x99':
      return "'";
    case '\x9C':
    case '\x9D':
      return "\"";
    case '\x93':
    case '\x94':
      return " - ";
    case '\xA6':
      return "...";
    default:
      return {};
  }
}

// A word that a line end broke: `some-⏎thing`. Positions in the text; the second part ends at `end`.
struct BrokenWord {
  std::size_t begin = 0;   // of the first part
  std::size_t hyphen = 0;  // behind the first part
  std::size_t second = 0;  // of the second part
  std::size_t end = 0;
};

std::string small_letters(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return small;
}

std::vector<BrokenWord> broken_words(const std::string& text) {
  std::vector<BrokenWord> found;
  std::size_t used = 0;  // words do not overlap
  for (std::size_t at = text.find("-\n"); at != std::string::npos; at = text.find("-\n", at + 2)) {
    BrokenWord word{at, at, at + 2, 0};
    while (word.begin > used && is_letter(text[word.begin - 1])) --word.begin;
    while (word.second < text.size() && (text[word.second] == ' ' || text[word.second] == '\t'))
      ++word.second;
    word.end = word.second;
    while (word.end < text.size() && is_small(text[word.end])) ++word.end;
    if (word.begin == word.hyphen || word.end == word.second) continue;
    used = word.end;
    found.push_back(word);
  }
  return found;
}

// Marks those of `wanted` that stand somewhere in the text as whole runs of letters, in any case.
void mark_known(const std::string& text, std::unordered_map<std::string, bool>* wanted) {
  // A filter of first and last letter and length keeps all but a few runs from being looked up.
  std::vector<bool> maybe(32 * 32 * 64, false);
  const auto place = [](char first, char last, std::size_t size) {
    return (static_cast<std::size_t>(first & 31) * 32 + static_cast<std::size_t>(last & 31)) * 64 + size % 64;
  };
  for (const auto& [word, known] : *wanted) maybe[place(word.front(), word.back(), word.size())] = true;
  const char* const data = text.data();
  for (std::size_t at = 0; at < text.size();) {
    if (!is_letter(data[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < text.size() && is_letter(data[at])) ++at;
    if (!maybe[place(data[begin], data[at - 1], at - begin)]) continue;
    const auto entry = wanted->find(small_letters({data + begin, at - begin}));
    if (entry != wanted->end()) entry->second = true;
  }
}

void mend_broken_words(std::string* text) {
  const std::vector<BrokenWord> broken = broken_words(*text);
  if (broken.empty()) return;
  const auto whole = [text](const BrokenWord& word) {
    return small_letters(text->substr(word.begin, word.hyphen - word.begin) +
                         text->substr(word.second, word.end - word.second));
  };
  std::unordered_map<std::string, bool> known;
  for (const BrokenWord& word : broken) known.emplace(whole(word), false);
  mark_known(*text, &known);
  std::string mended;
  mended.reserve(text->size());
  std::size_t from = 0;
  for (const BrokenWord& word : broken) {
    mended.append(*text, from, word.hyphen - from);
    if (!known.at(whole(word))) mended += '-';
    from = word.second;
  }
  mended.append(*text, from, std::string::npos);
  text->swap(mended);
}

}  // namespace

std::string plain_text(std::string_view raw) {
  std::string text;
  text.reserve(raw.size() + 1);
  const char* at = raw.data();
  const char* const end = at + raw.size();
  while (true) {
    const char* const mark = next_markup(at, end);
    text.append(at, mark);
    if (mark == end) return text;
    at = mark + 1;
    if (*mark == '\r') {
      if (at == end || *at != '\n') text += '\n';
    } else if (*mark == '*') {
      text += ' ';
    } else if (*mark == kTypographyLead) {
      const std::string_view sign = typed({mark, static_cast<std::size_t>(end - mark)});
      if (sign.empty()) {
        text += *mark;
      } else {
        text += sign;
        at = mark + 3;
      }
    }
  }
}

void join_wrapped_lines(std::string* text) {
  mend_broken_words(text);
  char* const begin = text->data();
  const char* const end = begin + text->size();
  char* out = begin;
  for (const char* at = begin; at < end;) {
    const auto* stop = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    if (stop == nullptr) stop = end;
    const auto run = static_cast<std::size_t>(stop - at);
    if (out != at) std::memmove(out, at, run);
    out += run;
    if (stop == end) break;
    at = stop + 1;
    const char* next = at;
    while (next < end && (*next == ' ' || *next == '\t')) ++next;
    if (next < end && *next == '\n') {  // an empty line: the paragraph ends
      while (next < end && is_space(*next)) ++next;
      at = next;
      *out++ = '\n';
    } else {
      *out++ = ' ';
    }
  }
  text->resize(static_cast<std::size_t>(out - begin));
}

bool lines_are_wrapped(std::string_view sample) {
  if (sample.find_first_of(".?!") == std::string_view::npos) return false;
  std::size_t pairs = 0;
  std::size_t broken = 0;
  for (std::size_t at = sample.find('\n'); at != std::string_view::npos; at = sample.find('\n', at + 1)) {
    const std::size_t before = at > 0 && sample[at - 1] == '\r' ? at - 1 : at;
    if (before == 0 || at + 1 >= sample.size() || is_space(sample[at + 1])) continue;
    std::size_t last = before - 1;
    while (last > 0 && (sample[last] == ' ' || sample[last] == '\t')) --last;
    if (is_space(sample[last])) continue;
    ++pairs;
    const bool ended = std::strchr(".?!:;\"')]", sample[last]) != nullptr;
    if (!ended && is_small(sample[at + 1])) ++broken;
  }
  return pairs > 0 && broken * 3 > pairs;
}

bool names_gutenberg(std::string_view text) {
  for (std::size_t at = text.find('G'); at != std::string_view::npos; at = text.find('G', at + 1)) {
    const std::string_view rest = text.substr(at + 1, 8);
    if (rest == "UTENBERG" || rest == "utenberg") return true;
  }
  return false;
}

void break_at_full_stops(std::string* text) {
  constexpr std::string_view kStops[] = {"\xE3\x80\x82", "\xEF\xBC\x81", "\xEF\xBC\x9F", "\xE0\xA5\xA4"};
  if (std::none_of(std::begin(kStops), std::end(kStops),
                   [text](std::string_view stop) { return text->find(stop) != std::string::npos; })) {
    return;
  }
  std::string broken;
  broken.reserve(text->size() + text->size() / 16);
  for (std::size_t at = 0; at < text->size(); ++at) {
    broken += (*text)[at];
    if (at < 2) continue;
    const std::string_view last = std::string_view(*text).substr(at - 2, 3);
    if (std::find(std::begin(kStops), std::end(kStops), last) != std::end(kStops)) broken += '\n';
  }
  text->swap(broken);
}

}  // namespace speechmill
