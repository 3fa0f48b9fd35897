#include "text/cleaner.h"

#include <algorithm>
#include <cstring>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/utf8.h"
#include "base/utf8_reader.h"
#include "text/layout.h"
#include "text/numerals.h"

namespace speechmill {
namespace {

constexpr std::size_t kLongestTitle = 8;
constexpr std::size_t kOverrun = 16;  // bytes that may be read behind a text

bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_ascii_word(char c) {
  return is_ascii_letter(c) || (c >= '0' && c <= '9');
}

bool is_end(char c) {
  return c == '.' || c == '?' || c == '!';
}

std::string_view trimmed(std::string_view word, char edge) {
  while (!word.empty() && word.front() == edge) word.remove_prefix(1);
  while (!word.empty() && word.back() == edge) word.remove_suffix(1);
  return word;
}

bool ends_with(std::string_view word, std::string_view ending) {
  return word.size() >= ending.size() && word.substr(word.size() - ending.size()) == ending;
}

}  // namespace

// One pass over a text that ends with a line end: writes clean sentences, sets odd ones aside.
class SentenceScan {
public:
  SentenceScan(const TextCleaner& cleaner, std::string_view text, const HeldOut* held_out)
      : cleaner_(cleaner), held_out_(held_out), at_(text.data()), end_(at_ + text.size()), raw_(at_) {}

  CleanedText run() {
    std::string& lines = result_.lines;
    lines.resize(static_cast<std::size_t>(end_ - at_) + kSlack);
    begin_ = lines.data();
    out_ = sentence_ = begin_;
    while (at_ < end_ && !result_.not_utf8) step();
    if (result_.not_utf8) return not_utf8();
    lines.resize(static_cast<std::size_t>(out_ - begin_));
    return std::move(result_);
  }

  static CleanedText not_utf8() {
    CleanedText nothing;
    nothing.not_utf8 = true;
    return nothing;
  }

private:
  using Kind = TextCleaner::Kind;
  using Mapped = TextCleaner::Mapped;
  static constexpr std::size_t kSlack = 64;  // room for one mapped character and a line end

  void step() {
    const auto byte = static_cast<unsigned char>(*at_);
    switch (cleaner_.kinds_[byte]) {
      case Kind::kLetter:
        letters();
        break;
      case Kind::kBlank:
        visible_ |= !cleaner_.low_[byte].space;
        blank();
        ++at_;
        break;
      case Kind::kApostrophe:
        visible_ = true;
        apostrophe();
        ++at_;
        break;
      case Kind::kDigit:
        visible_ = digits_ = true;
        ++at_;
        break;
      case Kind::kOdd:
        visible_ = odd_ = true;
        ++at_;
        break;
      case Kind::kEnd:
        mark();
        break;
      case Kind::kLine:
        finish(at_);
        raw_ = ++at_;
        break;
      case Kind::kParenthesis:
        parenthesis();
        break;
      case Kind::kOther:
        other();
        break;
    }
  }

  void letters() {
    visible_ = true;
#ifdef __SSE2__
    if (cleaner_.latin_ && is_ascii_letter(*at_)) {  // phrase() takes no other sign of the alphabet
      phrase();
      return;
    }
#endif
    do {
      *out_++ = cleaner_.letters_[static_cast<unsigned char>(*at_)];
      ++at_;
    } while (cleaner_.kinds_[static_cast<unsigned char>(*at_)] == Kind::kLetter);  // the text ends with \n
  }

#ifdef __SSE2__
  // Letters with single blanks between them, sixteen at a time: copied with the bit of small letters set,
  // which a blank has too. Reads and writes up to kOverrun bytes beyond what it uses.
  void phrase() {
    const __m128i small = _mm_set1_epi8(0x20);
    const __m128i before_a = _mm_set1_epi8('a' - 1);
    const __m128i after_z = _mm_set1_epi8('z' + 1);
    unsigned used = 16;
    while (used == 16 && at_ < end_) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at_));
      const __m128i lower = _mm_or_si128(bytes, small);
      const __m128i is_letter =
          _mm_and_si128(_mm_cmpgt_epi8(lower, before_a), _mm_cmplt_epi8(lower, after_z));
      const auto letter = static_cast<unsigned>(_mm_movemask_epi8(is_letter));
      const auto space = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, small)));
      const unsigned after_space = space << 1U | static_cast<unsigned>(out_ == sentence_ || out_[-1] == ' ');
      const unsigned stop = ~(letter | (space & ~after_space)) | 1U << 16U;
      used = static_cast<unsigned>(__builtin_ctz(stop));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out_), lower);
      at_ += used;
      out_ += used;
    }
    quotes_end_ = nullptr;
  }
#endif

  void blank() {
    quotes_end_ = nullptr;
    if (out_ != sentence_ && out_[-1] != ' ') *out_++ = ' ';
  }

  // Two or more apostrophes in a row are a quotation mark, so a blank.
  void apostrophe() {
    if (out_ == quotes_end_) return;  // the third and later ones of a row
    if (out_ != sentence_ && out_[-1] == '\'') {
      --out_;
      blank();
      quotes_end_ = out_;
      return;
    }
    // Between two letters it can only be the word's own.
    const bool inside = out_ != sentence_ && out_[-1] != ' ' &&
                        cleaner_.kinds_[static_cast<unsigned char>(at_[1])] == Kind::kLetter;
    apostrophes_ |= !inside || !cleaner_.apostrophe_;
    *out_++ = '\'';
  }

  // A parenthesis is read out, unless the normaliser may know its content as a tag: one word, like (laughs).
  void parenthesis() {
    visible_ = true;
    if (*at_ == '(') {
      const char* const close =
          std::find_if(at_ + 1, end_, [](char c) { return c == ')' || c == '(' || c == '\n'; });
      const char* first = at_ + 1;
      const char* last = close;
      while (first < last && (*first == ' ' || *first == '\t')) ++first;
      while (first < last && (last[-1] == ' ' || last[-1] == '\t')) --last;
      const bool foreign = std::any_of(first, last, [](char c) { return c < ' '; });  // above ASCII, controls
      if (*close == ')' && (foreign || std::find(first, last, ' ') == last)) odd_ = true;
    }
    put(cleaner_.low_[static_cast<unsigned char>(*at_)]);
    ++at_;
  }

  void other() {
    std::size_t size = 0;
    const char32_t code = read_utf8(at_, static_cast<std::size_t>(end_ - at_), &size);
    if (code == kNotUtf8) {
      result_.not_utf8 = true;
      return;
    }
    const Mapped& entry = cleaner_.mapped(code);
    visible_ |= !entry.space;
    odd_ |= !entry.known;
    folded_ |= is_ascii_letter(entry.text[0]);
    put(entry);
    at_ += size;
  }

  void put(const Mapped& entry) {
    if (begin_ + result_.lines.size() - out_ < (end_ - at_) + static_cast<std::ptrdiff_t>(kSlack) / 2) grow();
    for (std::size_t i = 0; i < entry.size; ++i) {
      if (entry.text[i] == ' ')
        blank();
      else if (entry.text[i] == '\'')
        apostrophe();
      else
        *out_++ = entry.text[i];
    }
  }

  // Replacements may be longer than what they replace.
  void grow() {
    const std::ptrdiff_t out = out_ - begin_;
    const std::ptrdiff_t sentence = sentence_ - begin_;
    const std::ptrdiff_t quotes = quotes_end_ == nullptr ? -1 : quotes_end_ - begin_;
    result_.lines.resize(result_.lines.size() + static_cast<std::size_t>(end_ - at_) / 4 + 2 * kSlack);
    begin_ = result_.lines.data();
    out_ = begin_ + out;
    sentence_ = begin_ + sentence;
    quotes_end_ = quotes < 0 ? nullptr : begin_ + quotes;
  }

  // A run of . ? ! with the quotes and brackets that close behind it: the sentence may end here.
  void mark() {
    visible_ = true;
    const char* after = at_;
    for (; is_end(*after); ++after) put(cleaner_.low_[static_cast<unsigned char>(*after)]);
    const bool single_point = after - at_ == 1 && *at_ == '.';
    const char* const begin = at_;
    at_ = after;
    while (*after == '"' || *after == '\'' || *after == ')' || *after == ']') ++after;
    if (*after != ' ') return;
    const char* next = after;
    while (*next == ' ') ++next;
    const char* const start = next;
    while (*next == '"' || *next == '\'' || *next == '(' || *next == '[') ++next;
    if (!is_capital(next) || (single_point && is_abbreviation(begin))) return;
    while (at_ < after) step();  // the closing signs belong to the sentence
    finish(after);
    raw_ = at_ = start;
  }

  bool is_capital(const char* at) const {
    if (*at >= 'A' && *at <= 'Z') return true;
    if (static_cast<unsigned char>(*at) < 0x80) return false;
    std::size_t size = 0;
    const char32_t code = read_utf8(at, static_cast<std::size_t>(end_ - at), &size);
    return code != kNotUtf8 && cleaner_.mapped(code).capital;
  }

  // Whether the point at `point` stands behind an initial (other than I) or a title.
  bool is_abbreviation(const char* point) const {
    const char* begin = point;
    while (begin > raw_ && is_ascii_word(begin[-1])) --begin;
    const std::string_view word(begin, static_cast<std::size_t>(point - begin));
    if (word.empty() || word.size() > kLongestTitle) return false;
    if (word.size() == 1) return word[0] >= 'A' && word[0] <= 'Z' && word[0] != 'I';
    return cleaner_.titles_.count(std::string(word)) > 0;
  }

  void finish(const char* raw_end) {
    if (out_ != sentence_ && out_[-1] == ' ') --out_;
    odd_ |= visible_ && !digits_ && may_hold_numeral(raw_, raw_end);
    if (odd_) {
      out_ = sentence_;
      result_.odd.push_back({static_cast<std::size_t>(sentence_ - begin_), std::string(raw_, raw_end)});
    } else if (digits_) {
      refuse(&result_.tally.refused_numbers);
    } else if (visible_) {
      // Which apostrophes a word owns is decided before its letters are folded: then the normaliser does it.
      if (apostrophes_ && folded_)
        odd_ = true;
      else if (apostrophes_)
        unquote();
      if (odd_) {
        out_ = sentence_;
        result_.odd.push_back({static_cast<std::size_t>(sentence_ - begin_), std::string(raw_, raw_end)});
      } else if (out_ == sentence_) {
        refuse(&result_.tally.refused_empty);
      } else {
        keep();
      }
    }
    visible_ = odd_ = digits_ = apostrophes_ = folded_ = false;
    quotes_end_ = nullptr;
  }

  void refuse(std::uint64_t* reason) {
    out_ = sentence_;
    ++result_.tally.read;
    ++*reason;
  }

  void say_titles() {
    const std::string said = cleaner_.spoken_.say(sentence_, out_);
    if (said.empty()) return;
    while (begin_ + result_.lines.size() - sentence_ <
           static_cast<std::ptrdiff_t>(said.size()) + (end_ - at_) + static_cast<std::ptrdiff_t>(kSlack) / 2)
      grow();
    out_ = std::copy(said.begin(), said.end(), sentence_);
  }

  void keep() {
    say_titles();
    if (!cleaner_.spaced_) out_ = std::remove(sentence_, out_, ' ');
    const std::string_view sentence(sentence_, static_cast<std::size_t>(out_ - sentence_));
    static const HeldOut nothing({}, 0, false);
    if (!(held_out_ != nullptr ? *held_out_ : nothing).admit(sentence, &result_.tally)) {
      out_ = sentence_;
      return;
    }
    *out_++ = '\n';
    sentence_ = out_;
  }

  // Drops apostrophes at word edges that are quotation marks (corpora/words.py: unquote), and words of
  // nothing else; in place, because the answer is never longer.
  void unquote() {
    std::string_view left(sentence_, static_cast<std::size_t>(out_ - sentence_));
    char* out = sentence_;
    bool opened = false;
    bool kept_apostrophe = false;
    while (!left.empty()) {
      const std::string_view word = left.substr(0, left.find(' '));
      left.remove_prefix(std::min(word.size() + 1, left.size()));
      const std::string_view core = trimmed(word, '\'');
      bool head = false;
      if (word.front() == '\'') {
        head = cleaner_.leading_.count(std::string(core)) > 0;
        opened |= !head;
      }
      bool tail = false;
      if (word.back() == '\'') {
        const bool owns =
            ends_with(core, "s") || ends_with(core, "in") || cleaner_.trailing_.count(std::string(core)) > 0;
        tail = owns && !opened;
        opened = false;
      }
      if (core.empty()) continue;
      if (out != sentence_) *out++ = ' ';
      if (head) *out++ = '\'';
      std::memmove(out, core.data(), core.size());
      out += core.size();
      if (tail) *out++ = '\'';
      kept_apostrophe |= head || tail || core.find('\'') != std::string_view::npos;
    }
    out_ = out;
    odd_ = kept_apostrophe && !cleaner_.apostrophe_;  // one that the alphabet lacks
  }

  const TextCleaner& cleaner_;
  const HeldOut* held_out_;
  const char* at_;
  const char* end_;
  const char* raw_;             // where the sentence begins in the text
  char* begin_ = nullptr;       // of the clean lines
  char* out_ = nullptr;         // behind what is written
  char* sentence_ = nullptr;    // where the sentence begins in the clean lines
  char* quotes_end_ = nullptr;  // behind a row of apostrophes that became a blank
  bool visible_ = false;
  bool odd_ = false;
  bool digits_ = false;
  bool apostrophes_ = false;
  bool folded_ = false;  // a letter above ASCII became one of ASCII
  CleanedText result_;
};

CleanedText TextCleaner::clean(std::string_view raw, bool wrapped, const HeldOut* held_out) const {
  if (!is_utf8(raw)) return SentenceScan::not_utf8();  // signs that go could join what is no character to one
  std::string text = plain_text(raw);
  if (wrapped) join_wrapped_lines(&text);
  break_at_full_stops(&text);
  text += '\n';
  const std::size_t size = text.size();
  text.append(kOverrun, '\0');
  return SentenceScan(*this, std::string_view(text).substr(0, size), held_out).run();
}

}  // namespace speechmill
