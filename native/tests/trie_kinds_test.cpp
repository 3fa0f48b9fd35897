// Both kinds of trie nodes over the same words, alphabets of bytes, and language models of characters.
#include <algorithm>
#include <random>

#include "base/error.h"
#include "base/utf8.h"
#include "check.h"
#include "scorer/lexicon_trie.h"
#include "scorer/scorer.h"
#include "scorer/trie_format.h"
#include "toy_model.h"

using namespace speechmill;

namespace {

std::string arpa_of(const std::vector<std::string>& words) {
  std::string text = "\\data\\\nngram 1=" + std::to_string(words.size() + 3) + "\nngram 2=1\n\n\\1-grams:\n";
  text += "-1.5\t<unk>\n0\t<s>\t-0.3\n-0.8\t</s>\n";
  float score = -1.0F;
  for (const std::string& word : words) text += std::to_string(score -= 0.01F) + "\t" + word + "\t-0.2\n";
  return text + "\n\\2-grams:\n-0.2\t<s> " + words[0] + "\n\n\\end\\\n";
}

// A model directory over the words; removed at the end.
class Folder {
public:
  explicit Folder(const std::vector<std::string>& words) {
    testing::spit(toy_.path() + "/lm.binary", arpa_of(words));
  }
  LexiconTrie build(const std::vector<std::string>& words, const TrieBuild& how) const {
    TrieBuild build = how;
    build.lm_binary_path = toy_.path() + "/lm.binary";
    build_lexicon_trie(words, build, path());
    return LexiconTrie::load(path());
  }
  const std::string& directory() const { return toy_.path(); }
  std::string path() const { return toy_.path() + "/lexicon.trie"; }

private:
  testing::ToyDirectory toy_;
};

TrieBuild with(const Alphabet& alphabet, std::optional<NodeKind> kind = {}, LmUnit unit = LmUnit::kWords) {
  return {&alphabet, "", {}, unit, kind};
}

std::vector<int> labels_of(const Alphabet& alphabet, const std::string& word) {
  std::vector<int> labels = alphabet.encode(word);
  for (int& label : labels) label = alphabet.label_of(label);
  return labels;
}

std::vector<std::string> random_words(std::size_t count, const std::string& letters) {
  std::mt19937 random(7);
  std::vector<std::string> words;
  while (words.size() < count) {
    std::string word;
    for (std::size_t i = 1 + random() % 7; i > 0; --i) word += letters[random() % letters.size()];
    words.push_back(word);
  }
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

void both_kinds_answer_alike() {
  const std::string letters = "abcdefghijklmnopqrstuvwxyz'";
  std::vector<std::string> labels(1, " ");
  for (const char letter : letters) labels.emplace_back(1, letter);
  const Alphabet alphabet(labels);
  const std::vector<std::string> words = random_words(400, letters);
  const Folder folder(words);
  const LexiconTrie bitmap = folder.build(words, with(alphabet));
  const LexiconTrie sorted = folder.build(words, with(alphabet, NodeKind::kSorted));
  CHECK(bitmap.kind() == NodeKind::kBitmap);
  CHECK(sorted.kind() == NodeKind::kSorted);
  CHECK_EQUAL(bitmap.info().nodes, sorted.info().nodes);
  CHECK_EQUAL(bitmap.info().vocabulary_hash, sorted.info().vocabulary_hash);
  for (std::uint32_t node = 0; node < bitmap.info().nodes; ++node) {
    CHECK_EQUAL(bitmap.word(node), sorted.word(node));
    CHECK_EQUAL(bitmap.look_ahead(node), sorted.look_ahead(node));
    std::uint32_t children = 0;
    for (int label = 0; label < static_cast<int>(labels.size()); ++label) {
      const std::uint32_t child = bitmap.step(node, label);
      CHECK_EQUAL(child, sorted.step(node, label));
      if (child == kNoNode) continue;
      CHECK_EQUAL(sorted.sorted_node(node).first_child + children, child);
      CHECK_EQUAL(static_cast<int>(sorted.sorted_node(child).label), label);
      ++children;
    }
    CHECK_EQUAL(static_cast<std::uint32_t>(sorted.sorted_node(node).children), children);
    std::vector<std::pair<int, std::uint32_t>> one;
    std::vector<std::pair<int, std::uint32_t>> other;
    bitmap.each_child(node, [&](int label, std::uint32_t child) { one.emplace_back(label, child); });
    sorted.each_child(node, [&](int label, std::uint32_t child) { other.emplace_back(label, child); });
    CHECK(one == other && one.size() == children);
  }
  for (const std::string& word : words) CHECK(sorted.find(labels_of(alphabet, word)) != 0);
  CHECK_EQUAL(sorted.find({28}), 0U);
  CHECK_EQUAL(sorted.find({-1}), 0U);
}

void the_alphabet_decides_the_kind() {
  std::vector<std::string> labels(1, " ");
  for (int i = 0; i < 31; ++i) labels.push_back("\xD0" + std::string(1, static_cast<char>(0x90 + i)));
  const std::vector<std::string> words = {labels[1] + labels[31], labels[31], labels[2]};
  const Folder folder(words);
  const Alphabet small(labels);
  const LexiconTrie bitmap = folder.build(words, with(small));
  CHECK(bitmap.kind() == NodeKind::kBitmap);
  for (const std::string& word : words) CHECK(bitmap.find(labels_of(small, word)) != 0);
  labels.push_back("\xD1\x80");
  const Alphabet large(labels);
  CHECK(folder.build(words, with(large)).kind() == NodeKind::kSorted);
  CHECK_THROWS(ScorerError, folder.build(words, with(large, NodeKind::kBitmap)), "33 labels", "up to 32");
}

void thousands_of_labels() {
  std::vector<std::string> labels(1, " ");
  for (int i = 0; i < 3000; ++i) {
    const int point = 0x4E00 + i;
    labels.push_back({static_cast<char>(0xE0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 0x3F)),
                      static_cast<char>(0x80 | (point & 0x3F))});
  }
  std::vector<std::string> words;
  for (int i = 1; i <= 3000; i += 3) {
    words.push_back(labels[static_cast<std::size_t>(i)]);
    words.push_back(labels[static_cast<std::size_t>(i)] + labels[static_cast<std::size_t>(3001 - i)]);
  }
  const Folder folder(words);
  const Alphabet alphabet(labels);
  const LexiconTrie trie = folder.build(words, with(alphabet));
  CHECK_EQUAL(static_cast<int>(trie.sorted_node(0).children), 1000);
  for (const std::string& word : words) CHECK(trie.find(labels_of(alphabet, word)) != 0);
  for (const int label : {0, 2, 3, 2999}) CHECK_EQUAL(trie.step(0, label), kNoNode);
}

void bytes_spell_every_language() {
  const Alphabet alphabet = Alphabet::bytes();
  CHECK_EQUAL(alphabet.size(), 256U);
  CHECK_EQUAL(alphabet.label_of(alphabet.space()), 31);
  const std::string text = "\xE4\xBD\xA0 \xC3\xA9t\xC3\xA9";
  CHECK_EQUAL(alphabet.decode(alphabet.encode(text)), text);
  CHECK_EQUAL(alphabet.decode({0xE4 - 1, 0xBD - 1, 'a' - 1}), "\xEF\xBF\xBD\x61");
  CHECK(alphabet.hash() == Alphabet::parse(alphabet.canonical(), "x.txt").hash());
  CHECK(Alphabet::parse(alphabet.canonical(), "x.txt", 0).kind() == LabelKind::kBytes);
  CHECK_THROWS(AlphabetError, Alphabet::parse(alphabet.canonical() + "a\n", "x.txt"), "x.txt", "bytes");
  const std::vector<std::string> words = {"\xE4\xBD\xA0", "\xE4\xBD\xA0\xE5\xA5\xBD", "\xC3\xA9t\xC3\xA9",
                                          "a"};
  const Folder folder(words);
  const LexiconTrie trie = folder.build(words, with(alphabet));
  CHECK(trie.info().label_kind == LabelKind::kBytes);
  for (const std::string& word : words) CHECK(trie.find(labels_of(alphabet, word)) != 0);
  CHECK_EQUAL(trie.find({0xE4 - 1, 0xBD - 1}), 0U);
  alphabet.save(folder.directory() + "/alphabet.txt");
  CHECK(Scorer::load(folder.directory(), {}).alphabet().kind() == LabelKind::kBytes);
}

void characters_are_words() {
  const Alphabet alphabet({" ", "a", "b", "\xC3\xA9"});
  const std::vector<std::string> words = {"a", "\xC3\xA9", std::string(kSpaceWord), "ab", "b"};
  const Folder folder({"a", "\xC3\xA9", std::string(kSpaceWord), "ab"});
  const LexiconTrie trie = folder.build(words, with(alphabet, {}, LmUnit::kCharacters));
  CHECK(trie.info().unit == LmUnit::kCharacters);
  CHECK_EQUAL(trie.info().words, 3U);
  CHECK_EQUAL(trie.info().skipped.at("not_one_character"), 1U);
  CHECK_EQUAL(trie.info().skipped.at("not_in_language_model"), 1U);
  CHECK(trie.find({0}) != 0);  // the space is a word of its own
  CHECK(trie.find({3}) != 0);
  CHECK_EQUAL(trie.find({2}), 0U);
  const Alphabet unspaced({"a", "b", "\xC3\xA9"});
  folder.build(words, with(unspaced, {}, LmUnit::kCharacters));
  unspaced.save(folder.directory() + "/alphabet.txt");
  CHECK_EQUAL(Scorer::load(folder.directory(), {}).alphabet().space(), -1);
  folder.build(words, with(unspaced));
  CHECK_THROWS(ScorerError, Scorer::load(folder.directory(), {}), "no space label");
}

void sorted_nonsense_is_refused() {
  const Alphabet alphabet({" ", "a", "b"});
  const Folder folder({"a", "ab", "b"});
  folder.build({"a", "ab", "b"}, with(alphabet, NodeKind::kSorted));
  const std::string good = testing::slurp(folder.path());
  TrieHeader header;
  std::memcpy(&header, good.data(), sizeof header);
  const std::size_t nodes = header.sections[kNodesSection].offset;
  const auto check = [&](std::size_t at, std::uint32_t value, const char* words) {
    std::string bad = good;
    std::memcpy(bad.data() + at, &value, sizeof value);
    TrieHeader changed;
    std::memcpy(&changed, bad.data(), sizeof changed);
    changed.checksum = trie_checksum(changed, reinterpret_cast<const std::uint8_t*>(bad.data()), bad.size());
    std::memcpy(bad.data(), &changed, sizeof changed);
    testing::spit(folder.path(), bad);
    CHECK_THROWS(ScorerError, LexiconTrie::load(folder.path()), words, "python -m lm build");
  };
  check(nodes, 4000, "node 0");              // first child
  check(nodes, 0, "node 0");                 // a loop
  check(nodes + 4, 60000U << 16, "node 0");  // number of children
  check(nodes + 4, 3, "node 0");             // label outside the alphabet
  check(nodes + 16 + 4, 2, "node 0");        // labels of the children do not rise
  check(nodes + 16 + 8, 4000, "node 1");     // word
  check(offsetof(TrieHeader, label_kind), 3, "label kind 3");
  check(offsetof(TrieHeader, label_kind), 2, "kind of labels");
  check(offsetof(TrieHeader, unit), 7, "unit 7");
  check(offsetof(TrieHeader, labels), 70000, "labels or blank");
}

void utf8_is_read_strictly() {
  for (const char* bad :
       {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\x80", "\xE4\xBD"}) {
    CHECK(!is_utf8(bad));
  }
  CHECK(is_utf8("\xED\x9F\xBF\xF4\x8F\xBF\xBF\xE0\xA0\x80"));
  CHECK_EQUAL(mend_utf8("a\xE4\xBD\x62\x80\xFF"), "a\xEF\xBF\xBD\x62\xEF\xBF\xBD\xEF\xBF\xBD");
}

}  // namespace

int main() {
  return testing::run_tests({{"both_kinds_answer_alike", both_kinds_answer_alike},
                             {"the_alphabet_decides_the_kind", the_alphabet_decides_the_kind},
                             {"thousands_of_labels", thousands_of_labels},
                             {"bytes_spell_every_language", bytes_spell_every_language},
                             {"characters_are_words", characters_are_words},
                             {"sorted_nonsense_is_refused", sorted_nonsense_is_refused},
                             {"utf8_is_read_strictly", utf8_is_read_strictly}});
}
