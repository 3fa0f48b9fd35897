// The exact search against the definition in brute_force.h, on thousands of small random cases.
#include "brute_force.h"

using namespace speechmill;
using testing::check_case;
using testing::Phrases;
using testing::random_phrases;
using testing::random_rows;
using testing::random_weights;
using testing::ToyDirectory;

namespace {

void without_a_model() {
  std::mt19937 random(1);
  for (int i = 0; i < 700; ++i) {
    const std::vector<std::string> labels =
        i % 2 == 0 ? std::vector<std::string>{" ", "a", "b"} : std::vector<std::string>{"a", " ", "b"};
    const Alphabet alphabet(labels, static_cast<int>(random() % 4));
    check_case(alphabet, {}, {}, i % 3 == 0 ? random_phrases(&random) : Phrases{},
               random_rows(&random, random() % 6, 4));
  }
}

void without_spaces() {
  std::mt19937 random(2);
  const Alphabet alphabet({"a", "b", "c"});
  for (int i = 0; i < 300; ++i) check_case(alphabet, {}, {}, {}, random_rows(&random, random() % 6, 4));
}

void words(NodeKind kind, bool open, bool hot) {
  const ToyDirectory toy;
  const std::string path = toy.path() + "/other.trie";
  build_lexicon_trie({"a", "ab", "b", "ba"},
                     {&toy.alphabet(), toy.path() + "/lm.binary", {}, LmUnit::kWords, kind}, path);
  const auto lm = LanguageModel::load(toy.path() + "/lm.binary");
  const auto trie = std::make_shared<const LexiconTrie>(LexiconTrie::load(path));
  ::unlink(path.c_str());
  CHECK(trie->kind() == kind);
  std::mt19937 random(3);
  for (int i = 0; i < 500; ++i) {
    const Scorer scorer(lm, trie, random_weights(&random));
    const Alphabet alphabet(toy.alphabet().labels(), static_cast<int>(random() % 4));
    SearchOptions options;
    options.open_vocabulary = open;
    options.oov_penalty = static_cast<float>(random() % 9) - 6.0F;
    options.oov_letter_penalty = -0.5F * static_cast<float>(random() % 5);
    check_case(alphabet, {&scorer, {"a", "ab", "b", "ba"}, false}, options,
               hot ? random_phrases(&random) : Phrases{}, random_rows(&random, random() % 7, 4));
  }
}

void lexicon_of_either_kind() {
  words(NodeKind::kBitmap, false, false);
  words(NodeKind::kSorted, false, false);
}

void hot_words() {
  words(NodeKind::kBitmap, false, true);
  words(NodeKind::kSorted, false, true);
}

void open_vocabulary() {
  words(NodeKind::kBitmap, true, false);
  words(NodeKind::kBitmap, true, true);
  words(NodeKind::kSorted, true, true);
}

// A language model whose unit is the character, with and without a space among the labels.
void characters(const std::vector<std::string>& labels) {
  const ToyDirectory toy;
  const std::string arpa =
      "\\data\\\nngram 1=6\nngram 2=2\n\n\\1-grams:\n-1.5\t<unk>\n0\t<s>\t-0.3\n-0.8\t</s>\n-0.5\ta\t-0.2\n"
      "-0.7\tb\t-0.1\n-0.9\t" +
      std::string(kSpaceWord) + "\t-0.3\n\n\\2-grams:\n-0.2\t<s> a\n-0.3\tb a\n\n\\end\\\n";
  testing::spit(toy.path() + "/lm.binary", arpa);
  const Alphabet plain(labels);
  build_lexicon_trie({"a", "b", std::string(kSpaceWord)},
                     {&plain, toy.path() + "/lm.binary", {}, LmUnit::kCharacters},
                     toy.path() + "/lexicon.trie");
  const auto lm = LanguageModel::load(toy.path() + "/lm.binary");
  const auto trie = std::make_shared<const LexiconTrie>(LexiconTrie::load(toy.path() + "/lexicon.trie"));
  std::mt19937 random(4);
  for (int i = 0; i < 300; ++i) {
    const Scorer scorer(lm, trie, random_weights(&random));
    const Alphabet alphabet(labels, static_cast<int>(random() % (labels.size() + 1)));
    check_case(alphabet, {&scorer, {"a", "b", std::string(kSpaceWord)}, true}, {}, {},
               random_rows(&random, random() % 6, alphabet.size()));
  }
}

// Pieces of words, of both marks, with and without a piece that is the space, with one that is never written.
std::vector<Alphabet> piece_alphabets(int blank) {
  const std::string mark(kBeginMark);
  return {Alphabet::of_pieces({mark + "a", "b", mark + "ba", "a"}, PieceMark::kBegin, blank),
          Alphabet::of_pieces({mark, "a", mark + "b", "<unk>"}, PieceMark::kBegin, blank),
          Alphabet::of_pieces({mark, mark + "a", "a", "b"}, PieceMark::kBegin, blank),
          Alphabet::of_pieces({"a", "##b", "##a", "ba"}, PieceMark::kContinue, blank)};
}

void pieces_without_a_model() {
  std::mt19937 random(5);
  for (int i = 0; i < 150; ++i) {
    for (const Alphabet& alphabet : piece_alphabets(static_cast<int>(random() % 5))) {
      check_case(alphabet, {}, {}, i % 3 == 0 ? random_phrases(&random) : Phrases{},
                 random_rows(&random, random() % 6, 5));
    }
  }
}

void pieces_with_words(NodeKind kind, bool open, bool hot) {
  const ToyDirectory toy;
  const std::string path = toy.path() + "/other.trie";
  build_lexicon_trie({"a", "ab", "b", "ba"},
                     {&toy.alphabet(), toy.path() + "/lm.binary", {}, LmUnit::kWords, kind}, path);
  const auto lm = LanguageModel::load(toy.path() + "/lm.binary");
  const auto trie = std::make_shared<const LexiconTrie>(LexiconTrie::load(path));
  ::unlink(path.c_str());
  std::mt19937 random(6);
  for (int i = 0; i < 100; ++i) {
    const Scorer scorer(lm, trie, random_weights(&random));
    SearchOptions options;
    options.open_vocabulary = open;
    options.oov_penalty = static_cast<float>(random() % 9) - 6.0F;
    options.oov_letter_penalty = -0.5F * static_cast<float>(random() % 5);
    for (const Alphabet& alphabet : piece_alphabets(static_cast<int>(random() % 5))) {
      check_case(alphabet, {&scorer, {"a", "ab", "b", "ba"}, false}, options,
                 hot ? random_phrases(&random) : Phrases{}, random_rows(&random, random() % 6, 5));
    }
  }
}

void pieces_and_a_lexicon() {
  pieces_with_words(NodeKind::kBitmap, false, false);
  pieces_with_words(NodeKind::kSorted, false, true);
  pieces_with_words(NodeKind::kBitmap, true, false);
  pieces_with_words(NodeKind::kSorted, true, true);
}

// Labels of several letters without marks: texts that two sequences of labels spell are one text.
void labels_of_several_letters() {
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    check_case(Alphabet({" ", "a", "b", "ab"}), {}, {}, {}, random_rows(&random, random() % 6, 5));
  }
}

void models_of_characters() {
  characters({" ", "a", "b"});
  characters({"a", "b"});
}

}  // namespace

int main() {
  return testing::run_tests({{"without_a_model", without_a_model},
                             {"without_spaces", without_spaces},
                             {"lexicon_of_either_kind", lexicon_of_either_kind},
                             {"hot_words", hot_words},
                             {"open_vocabulary", open_vocabulary},
                             {"models_of_characters", models_of_characters},
                             {"pieces_without_a_model", pieces_without_a_model},
                             {"pieces_and_a_lexicon", pieces_and_a_lexicon},
                             {"labels_of_several_letters", labels_of_several_letters}});
}
