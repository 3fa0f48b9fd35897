#include "text/cleaner.h"

#include <cstdint>
#include <cstdio>

#include "check.h"
#include "text/layout.h"
#include "text/word_counter.h"

using namespace speechmill;

namespace {

// Letters, blanks for the common marks, an accent folded, an apostrophe.
CleanerRules small_rules() {
  CleanerRules rules;
  for (char32_t c = 'a'; c <= 'z'; ++c) {
    rules.characters.push_back({c, std::string(1, static_cast<char>(c)), false, false});
    rules.characters.push_back({c - 32, std::string(1, static_cast<char>(c)), false, true});
  }
  for (const char c : std::string(" \t\n"))
    rules.characters.push_back({static_cast<char32_t>(c), " ", true, false});
  for (const char c : std::string(".,;:?!\"-()")) {
    rules.characters.push_back({static_cast<char32_t>(c), " ", false, false});
  }
  rules.characters.push_back({U'\'', "'", false, false});
  rules.characters.push_back({U'@', " at ", false, false});
  rules.characters.push_back({0xE9, "e", false, false});
  rules.leading_apostrophe = {"tis"};
  rules.trailing_apostrophe = {"o"};
  rules.titles = {"Mr"};
  return rules;
}

std::string cleaned(const std::string& text, bool wrapped = false) {
  return TextCleaner(small_rules()).clean(text, wrapped, nullptr).lines;
}

void layout_is_that_of_a_typewriter() {
  CHECK_EQUAL(plain_text("a\r\nb\rc _d_ *e*"), "a\nb\nc d  e ");
  CHECK_EQUAL(plain_text("\xE2\x80\x9CI\xE2\x80\x99m\xE2\x80\x9D\xE2\x80\xA6\xE2\x80\x94x\xE2"),
              "\"I'm\"... - x\xE2");
  std::string text = "some-\nthing well-\n known something\n\n \nNew\npart-\nB";
  join_wrapped_lines(&text);
  CHECK_EQUAL(text, "something well-known something\nNew part- B");
  CHECK(lines_are_wrapped("It was a dark and \r\nstormy night, the \r\nrain fell.\r\n"));
  CHECK(!lines_are_wrapped("One.\nTwo.\n"));
  CHECK(names_gutenberg("GGuG Gutenberg") && names_gutenberg("GUTENBERG") && !names_gutenberg("Gutenbur"));
}

void sentences_end_and_quotes_go() {
  CHECK_EQUAL(cleaned("Mr. Dale met J. Smith. \"Who?\" 'Me!' I left"),
              "mr dale met j smith\nwho\nme\ni left\n");
  CHECK_EQUAL(cleaned("'Tis 'now' or ''never'' o' boys' don't"), "'tis now or never o' boys' don't\n");
  CHECK_EQUAL(cleaned("Caf\xC3\xA9@home, A sentence of\nmany words.", true),
              "cafe at home a sentence of many words\n");
}

void any_sign_may_be_a_letter() {
  CleanerRules rules = small_rules();
  for (CharacterRule& rule : rules.characters) {
    if (rule.code == U'-') rule.text = "-";
  }
  CHECK_EQUAL(TextCleaner(rules).clean("A well-known - man", false, nullptr).lines, "a well-known - man\n");
}

void titles_are_written_as_they_are_said() {
  CleanerRules rules = small_rules();
  rules.spoken = {{"mr", "mister"}, {"dr", "doctor"}};
  const TextCleaner cleaner(rules);
  CHECK_EQUAL(cleaner.clean("Mr. Dale, dr Gray and the mr", false, nullptr).lines,
              "mister dale doctor gray and the mr\n");
  std::string many;
  std::string said;
  for (int i = 0; i < 200; ++i) {
    many += "mr ";
    said += i < 199 ? "mister " : "mr\n";
  }
  CHECK_EQUAL(cleaner.clean(many, false, nullptr).lines, said);
}

void odd_sentences_come_back_with_their_place() {
  const CleanedText result =
      TextCleaner(small_rules()).clean("One. Two & (laughs). In 1984. ... Three", false, nullptr);
  CHECK_EQUAL(result.lines, "one\nthree\n");
  CHECK_EQUAL(result.odd.size(), 1U);
  CHECK_EQUAL(result.odd.at(0).offset, 4U);
  CHECK_EQUAL(result.odd.at(0).raw, "Two & (laughs).");
  CHECK_EQUAL(result.tally.refused_numbers, 1U);
  CHECK_EQUAL(result.tally.read, 3U);
  CHECK(TextCleaner(small_rules()).clean("caf\xE9.", false, nullptr).not_utf8);
  CHECK(TextCleaner(small_rules())
            .clean("caf\xE2\xA0_\xB3.", false, nullptr)
            .not_utf8);  // also without the sign
}

void numerals_are_left_to_the_normaliser() {
  const TextCleaner cleaner(small_rules());
  for (const char* odd : {"Charles I.", "Book II.", "in (II and", "Louis X said", "a I\xE2\x80\x8BI",
                          "the XIVth of", "two IIs", "a II-b", "b-XIVth", "year MDCC of"})
    CHECK_EQUAL(cleaner.clean(odd, false, nullptr).odd.size(), 1U);
  for (const char* plain : {"it was I.", "I, too", "BOOK II.", "Vivid Ivy", "plan B", "the Xth I'd", "am I",
                            "the XIVe of", "Is it", "a VIIa", "a CD or DVD", "MDCCa"})
    CHECK_EQUAL(cleaner.clean(plain, false, nullptr).odd.size(), 0U);
}

void held_out_sentences_are_left_out() {
  const HeldOut held_out({"a b c d e", "yes"}, 5, false);
  const CleanedText result = TextCleaner(small_rules()).clean("A b c d e! Yes. A b c d", false, &held_out);
  CHECK_EQUAL(result.lines, "yes\na b c d\n");
  CHECK_EQUAL(result.tally.left_out, 1U);
  CHECK_EQUAL(result.tally.short_overlap, 1U);
  CHECK_EQUAL(result.tally.longest_words, 4U);
}

// Random bytes and pieces: for the sanitizers, and every line must be words of the alphabet.
void any_bytes_are_survived() {
  const TextCleaner cleaner(small_rules());
  const std::string pieces[] = {"a",   "Word ",    "'", "''", ". ", "@@",      "\n",
                                "-\n", "\xC3\xA9", "(", ")",  "1",  "\xE2\x80"};
  std::uint32_t state = 1;
  for (int round = 0; round < 4000; ++round) {
    std::string text;
    for (std::uint32_t left = (state >> 8) % 40; left > 0; --left) {
      state = state * 1664525U + 1013904223U;
      const std::uint32_t pick = (state >> 16) % 15;
      text += pick < 13 ? pieces[pick] : std::string(1, static_cast<char>(state >> 24));
    }
    state = state * 1664525U + 1013904223U;
    const CleanedText result = cleaner.clean(text, round % 2 == 0, nullptr);
    CHECK_EQUAL(result.lines.find_first_not_of("abcdefghijklmnopqrstuvwxyz' \n"), std::string::npos);
    CHECK_EQUAL(result.lines.find("  "), std::string::npos);
  }
}

void counts_are_the_same_with_and_without_runs_on_disk() {
  WordCounter large("/nowhere/run", 1U << 30U);
  WordCounter small("text_cleaner_test_run", 1000);
  for (int i = 0; i < 300; ++i) {
    const std::string line = "w" + std::to_string(i % 70) + " same\n";
    large.add(line);
    small.add(line);
  }
  CHECK(small.runs() > 1 && large.runs() == 0);
  CHECK_EQUAL(large.types(), 71U);
  CHECK_EQUAL(small.types(), 71U);
  const auto a = large.top(3);
  const auto b = small.top(3);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK_EQUAL(a.at(i).word + std::to_string(a[i].count), b.at(i).word + std::to_string(b[i].count));
  CHECK_EQUAL(a.at(0).word, "same");
  WordCounter broken("/nowhere/run", 10);
  CHECK_THROWS(std::runtime_error, broken.add("a b c"), "/nowhere/run0", "opened");
}

}  // namespace

int main() {
  return speechmill::testing::run_tests({
      {"layout_is_that_of_a_typewriter", layout_is_that_of_a_typewriter},
      {"sentences_end_and_quotes_go", sentences_end_and_quotes_go},
      {"any_sign_may_be_a_letter", any_sign_may_be_a_letter},
      {"titles_are_written_as_they_are_said", titles_are_written_as_they_are_said},
      {"odd_sentences_come_back_with_their_place", odd_sentences_come_back_with_their_place},
      {"numerals_are_left_to_the_normaliser", numerals_are_left_to_the_normaliser},
      {"held_out_sentences_are_left_out", held_out_sentences_are_left_out},
      {"any_bytes_are_survived", any_bytes_are_survived},
      {"counts_are_the_same_with_and_without_runs_on_disk",
       counts_are_the_same_with_and_without_runs_on_disk},
  });
}
