#include "alignment/word_graph.h"

#include <stdexcept>

namespace speechmill::alignment {
namespace {

bool blank(char sign) {
  return sign == ' ' || (sign >= '\t' && sign <= '\r');
}

// Signs that make a word more than its letters.
bool marks(char sign) {
  return sign == '{' || sign == '}' || sign == ';' || sign == '\\' || sign == '*';
}

std::uint64_t hash_of(std::string_view word) {
  std::uint64_t hash = 14695981039346656037ull;
  for (const char sign : word) hash = (hash ^ static_cast<unsigned char>(sign)) * 1099511628211ull;
  return hash;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// One past the brace that closes the one at text[0].
std::size_t end_of_alternation(std::string_view text) {
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '{') ++depth;
    if (text[at] == '}' && --depth == 0) return at + 1;
  }
  throw std::invalid_argument("an alternation { … / … } does not end: \"" + std::string(text.substr(0, 40)) +
                              "\"");
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

bool begins_with(std::string_view word, std::string_view part) {
  return word.substr(0, part.size()) == part;
}

bool ends_with(std::string_view word, std::string_view part) {
  return word.size() >= part.size() && word.substr(word.size() - part.size()) == part;
}

}  // namespace

void WordGraph::parse(std::string_view text, const Rules& rules) {
  rules_ = rules;
  arcs_.assign(1, Arc{});
  before_.clear();
  owned_.clear();
  plain_ = true;
  last_.assign(1, 0);
  sequence(text, &last_);
}

void WordGraph::sequence(std::string_view text, std::vector<std::uint32_t>* ends) {
  std::size_t at = 0;
  for (;;) {
    while (at < text.size() && blank(text[at])) ++at;
    if (at == text.size()) return;
    const std::string_view rest = text.substr(at);
    if (rest.front() == '{') {
      const std::size_t length = end_of_alternation(rest);
      alternation(rest.substr(1, length - 2), ends);
      at += length;
      continue;
    }
    std::size_t length = 0;
    bool marked = false;
    for (; length < rest.size() && !blank(rest[length]); ++length) marked |= marks(rest[length]);
    word(rest.substr(0, length), marked, ends);
    at += length;
  }
}

void WordGraph::alternation(std::string_view inner, std::vector<std::uint32_t>* ends) {
  plain_ = false;
  std::vector<std::uint32_t> joined;
  bool found = false;
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t at = 0; at <= inner.size(); ++at) {
    if (at < inner.size()) {
      if (inner[at] == '{') ++depth;
      if (inner[at] == '}') --depth;
      if (inner[at] != '/' || depth > 0) continue;
    }
    const std::string_view choice = trimmed(inner.substr(start, at - start));
    start = at + 1;
    if (choice.empty()) continue;
    found = true;
    std::vector<std::uint32_t> branch = *ends;
    sequence(choice, &branch);
    joined.insert(joined.end(), branch.begin(), branch.end());
  }
  if (!found)
    throw std::invalid_argument("an alternation holds no word: " + quoted("{" + std::string(inner) + "}"));
  *ends = joined;
}

void WordGraph::word(std::string_view token, bool marked, std::vector<std::uint32_t>* ends) {
  Arc arc;
  if (marked) {
    if (token.find_first_of("{}") != std::string_view::npos) {
      throw std::invalid_argument("a brace inside the word " + quoted(token) +
                                  ": write blanks round { and }");
    }
    std::string& kept = owned_.emplace_back();
    for (std::size_t at = 0; at < token.size(); ++at) {
      if (token[at] == ';' && (at == 0 || token[at - 1] != '\\')) break;
      if (token[at] != '\\') kept += token[at];
    }
    if (kept.size() > 1 && kept.back() == '*') kept.pop_back();
    token = kept;
  }
  arc.shown = arc.said = token;
  arc.nothing = token == "@";
  if (rules_.deletable && token.size() > 1 && token.front() == '(' && token.back() == ')') {
    arc.deletable = true;
    arc.said = token.substr(1, token.size() - 2);
  }
  if (rules_.fragments && !token.empty()) {
    const bool inside = arc.deletable && token.size() > 2 && token[token.size() - 2] == '-';
    arc.fragment = token.front() == '-' || token.back() == '-' || inside;
  }
  arc.hash = hash_of(arc.said);
  arc.first_before = static_cast<std::uint32_t>(before_.size());
  arc.before = static_cast<std::uint32_t>(ends->size());
  for (const std::uint32_t end : *ends) before_.push_back(end);
  if (arc.nothing || arc.deletable || arc.fragment) plain_ = false;
  ends->resize(1);
  ends->front() = static_cast<std::uint32_t>(arcs_.size());
  arcs_.push_back(arc);
}

bool same_word(const Arc& one, const Arc& other) {
  if (one.fragment || other.fragment) {
    const std::string_view a = one.said;
    const std::string_view b = other.said;
    if (a.size() > 1 && a.front() == '-') return ends_with(b, a.substr(1));
    if (a.size() > 1 && a.back() == '-') return begins_with(b, a.substr(0, a.size() - 1));
    if (b.size() > 1 && b.front() == '-') return ends_with(a, b.substr(1));
    if (b.size() > 1 && b.back() == '-') return begins_with(a, b.substr(0, b.size() - 1));
  }
  return one.hash == other.hash && one.said == other.said;
}

}  // namespace speechmill::alignment
