// Any bytes through all that reads text: UTF-8, layout, cleaner, word counter, held-out sentences. Nothing
// reads outside; what the cleaner keeps is UTF-8 of its own letters, and counts balance.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/utf8.h"
#include "base/utf8_reader.h"
#include "text/cleaner.h"
#include "text/layout.h"
#include "text/word_counter.h"

namespace {

using namespace speechmill;

CleanerRules rules() {
  CleanerRules made;
  for (char32_t c = 'a'; c <= 'z'; ++c) {
    made.characters.push_back({c, std::string(1, static_cast<char>(c)), false, false});
    made.characters.push_back({c - 32, std::string(1, static_cast<char>(c)), false, true});
  }
  for (const char c : std::string(" \t\n"))
    made.characters.push_back({static_cast<char32_t>(c), " ", true, false});
  for (const char c : std::string(".,;:?!\"-()")) {
    made.characters.push_back({static_cast<char32_t>(c), " ", false, false});
  }
  made.characters.push_back({U'\'', "'", false, false});
  made.characters.push_back({0xE9, "e", false, false});
  made.leading_apostrophe = {"tis"};
  made.trailing_apostrophe = {"o"};
  made.titles = {"Mr"};
  made.spoken = {{"mr", "mister"}};
  return made;
}

void check_utf8(const std::string& text) {
  const std::string mended = mend_utf8(text);
  if (!is_utf8(mended) || (is_utf8(text) && mended != text)) std::abort();
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = 0;
    const char32_t code = read_utf8(text.data() + at, text.size() - at, &size);
    if ((code == kNotUtf8) != (character_bytes(text, at) == 0)) std::abort();
    at += size;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TextCleaner cleaner(rules());
  static const HeldOut held_out({"a b c d e", "yes"}, 5, false);
  if (size < 1) return 0;
  const bool wrapped = data[0] % 2 == 1;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_utf8(text);
  lines_are_wrapped(text);
  names_gutenberg(text);
  const CleanedText found = cleaner.clean(text, wrapped, &held_out);
  if (found.not_utf8 != !is_utf8(text)) std::abort();
  for (const char c : found.lines) {
    if (!((c >= 'a' && c <= 'z') || c == ' ' || c == '\'' || c == '\n')) std::abort();
  }
  if (!found.lines.empty() && found.lines.back() != '\n') std::abort();
  const SentenceTally& tally = found.tally;
  if (tally.read != tally.kept + tally.left_out + tally.refused_numbers + tally.refused_empty) std::abort();
  for (const OddSentence& odd : found.odd) {
    if (odd.offset > found.lines.size()) std::abort();
  }
  WordCounter counter("", std::uint64_t{1} << 40);
  counter.add(found.lines);
  std::uint64_t words = 0;
  for (const WordCount& word : counter.top(SIZE_MAX)) words += word.count;
  if (words != tally.words) std::abort();
  return 0;
}
