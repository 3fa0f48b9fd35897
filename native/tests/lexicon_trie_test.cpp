#include "scorer/lexicon_trie.h"

#include "base/error.h"
#include "check.h"
#include "scorer/scorer.h"
#include "scorer/trie_format.h"
#include "toy_model.h"

using namespace speechmill;
using testing::ToyDirectory;

namespace {

// Trie bytes at an aligned address.
LexiconTrie parse(const std::string& bytes, std::vector<std::uint64_t>* room) {
  room->assign(bytes.size() / 8 + 1, 0);
  std::memcpy(room->data(), bytes.data(), bytes.size());
  return LexiconTrie::from_memory(reinterpret_cast<const std::uint8_t*>(room->data()), bytes.size(),
                                  "x.trie");
}

std::string with_checksum(std::string bytes) {
  TrieHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.checksum = trie_checksum(header, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

void counts_what_it_leaves_out() {
  const ToyDirectory toy;
  CHECK_EQUAL(toy.info().words, 4U);
  CHECK_EQUAL(toy.info().nodes, 5U);
  CHECK_EQUAL(toy.info().skipped.at("duplicate"), 1U);
  CHECK_EQUAL(toy.info().skipped.at("empty"), 1U);
  CHECK_EQUAL(toy.info().skipped.at("outside_alphabet"), 1U);
  CHECK_EQUAL(toy.info().skipped.at("holds_a_space"), 1U);
  CHECK_EQUAL(toy.info().skipped.at("not_in_language_model"), 1U);
  const LexiconTrie trie = LexiconTrie::load(toy.path() + "/lexicon.trie");
  CHECK_EQUAL(trie.info().skipped.at("duplicate"), 1U);
  CHECK_EQUAL(trie.info().identity.at("normaliser_version"), "1");
  CHECK_EQUAL(trie.info().lm_hash, toy.info().lm_hash);
  CHECK_EQUAL(trie.info().order, 2U);
}

void finds_words_and_looks_ahead() {
  const ToyDirectory toy;
  const LexiconTrie trie = LexiconTrie::load(toy.path() + "/lexicon.trie");
  for (const std::vector<int>& word : {std::vector<int>{1}, {1, 2}, {2}, {2, 1}}) CHECK(trie.find(word) != 0);
  for (const std::vector<int>& word : {std::vector<int>{}, {1, 1}, {2, 2}, {0}, {27}, {1, 2, 1}}) {
    CHECK_EQUAL(trie.find(word), 0U);
  }
  const double natural = kNaturalPerLog10;
  CHECK_NEAR(trie.node(0).look_ahead, -0.7 * natural, 1e-5);
  CHECK_NEAR(trie.node(LexiconTrie::child(trie.node(0), 2)).look_ahead, -1.1 * natural, 1e-5);
}

void another_kenlm_is_named() {
  const ToyDirectory toy;
  build_lexicon_trie({"a"}, {&toy.alphabet(), toy.path() + "/lm.binary", {{"kenlm_version", "9.9"}}},
                     toy.path() + "/lexicon.trie");
  CHECK_THROWS(ScorerError, Scorer::load(toy.path(), {}), "KenLM 9.9", LanguageModel::kenlm_version());
}

void same_words_give_the_same_bytes() {
  const ToyDirectory toy;
  const std::string first = testing::slurp(toy.path() + "/lexicon.trie");
  build_lexicon_trie({"ba", "b", "ab", "a", "a", "", "zz", "b a", "bb"},
                     {&toy.alphabet(), toy.path() + "/lm.binary", {{"normaliser_version", "1"}}},
                     toy.path() + "/lexicon.trie");
  CHECK(testing::slurp(toy.path() + "/lexicon.trie") == first);
}

void refuses_every_damaged_byte() {
  const ToyDirectory toy;
  const std::string good = testing::slurp(toy.path() + "/lexicon.trie");
  std::vector<std::uint64_t> room;
  parse(good, &room);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x20);
    CHECK_THROWS(ScorerError, parse(bad, &room), "x.trie", "python -m lm build");
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, sizeof(TrieHeader), good.size() - 1}) {
    CHECK_THROWS(ScorerError, parse(good.substr(0, size), &room), "x.trie");
  }
  CHECK_THROWS(ScorerError, LexiconTrie::load("/nowhere/lexicon.trie"), "/nowhere/lexicon.trie");
}

void refuses_well_signed_nonsense() {
  const ToyDirectory toy;
  const std::string good = testing::slurp(toy.path() + "/lexicon.trie");
  TrieHeader header;
  std::memcpy(&header, good.data(), sizeof header);
  std::vector<std::uint64_t> room;
  const auto broken = [&](std::size_t at, std::uint32_t value) {
    std::string bad = good;
    std::memcpy(bad.data() + at, &value, sizeof value);
    return with_checksum(bad);
  };
  const std::size_t nodes = header.sections[kNodesSection].offset;
  CHECK_THROWS(ScorerError, parse(broken(offsetof(TrieHeader, version), 9), &room), "version is 9");
  CHECK_THROWS(ScorerError, parse(broken(offsetof(TrieHeader, node_kind), 3), &room), "node kind 3");
  CHECK_THROWS(ScorerError, parse(broken(offsetof(TrieHeader, labels), 40), &room), "labels");
  CHECK_THROWS(ScorerError, parse(broken(offsetof(TrieHeader, sections), 1 << 30), &room), "section table");
  CHECK_THROWS(ScorerError, parse(broken(nodes, 4000), &room), "node 0");                  // first child
  CHECK_THROWS(ScorerError, parse(broken(nodes + 4, 0xFFFFFFFF), &room), "node 0");        // bitmap
  CHECK_THROWS(ScorerError, parse(broken(nodes + 16 + 8, 4000), &room), "node 1");         // word
  CHECK_THROWS(ScorerError, parse(broken(nodes + 16 + 12, 0x7FC00000), &room), "node 1");  // NaN look-ahead
  CHECK_THROWS(ScorerError, parse(broken(nodes, 0), &room), "node 0");                     // a loop
}

void scorer_names_the_part_that_differs() {
  const ToyDirectory toy;
  const Scorer scorer = Scorer::load(toy.path(), {0.5F, 1.0F}, {{"lm_hash", toy.info().lm_hash}});
  CHECK_EQUAL(scorer.model().order(), 2);
  CHECK_NEAR(scorer.with_weights({2.0F, 0.0F}).alpha(), 2.0, 0);
  CHECK_THROWS(ScorerError, scorer.with_weights({-1.0F, 0.0F}), "alpha");
  const auto load = [&](const std::map<std::string, std::string>& manifest) {
    return Scorer::load(toy.path(), {}, manifest);
  };
  for (const char* key : {"alphabet_hash", "vocabulary_hash", "lm_hash", "order", "normaliser_version"}) {
    CHECK_THROWS(ScorerError, load({{key, "another"}}), key, "manifest.json", "python -m lm build");
  }
  testing::spit(toy.path() + "/alphabet.txt", " \na\n");
  CHECK_THROWS(ScorerError, load({}), "the alphabet", "alphabet.txt");
  toy.alphabet().save(toy.path() + "/alphabet.txt");
  testing::spit(toy.path() + "/lm.binary", std::string(testing::toy_arpa()) + "\n");
  CHECK_THROWS(ScorerError, load({}), "the language model", "lm.binary");
  testing::spit(toy.path() + "/lm.binary", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
  CHECK_THROWS(ScorerError, load({}), "Git LFS", "git lfs pull");
  testing::spit(toy.path() + "/lm.binary", "");
  CHECK_THROWS(ScorerError, load({}), "empty");
  testing::spit(toy.path() + "/lm.binary", "nothing like it");
  CHECK_THROWS(ScorerError, load({}), toy.path(), "lm.binary", "differ");
  CHECK_THROWS(ScorerError, load({{"lm_hash", toy.info().lm_hash}}), "lm.binary", "damaged or replaced");
  CHECK_THROWS(ScorerError, LanguageModel::load(toy.path() + "/lm.binary"), toy.path() + "/lm.binary");
  CHECK_THROWS(ScorerError, load({{"unit", "characters"}}), "unit", "manifest.json");
  CHECK_THROWS(ScorerError, load({{"highest_order", "5"}}), "highest_order", "manifest.json");
}

}  // namespace

int main() {
  return testing::run_tests({{"counts_what_it_leaves_out", counts_what_it_leaves_out},
                             {"finds_words_and_looks_ahead", finds_words_and_looks_ahead},
                             {"another_kenlm_is_named", another_kenlm_is_named},
                             {"same_words_give_the_same_bytes", same_words_give_the_same_bytes},
                             {"refuses_every_damaged_byte", refuses_every_damaged_byte},
                             {"refuses_well_signed_nonsense", refuses_well_signed_nonsense},
                             {"scorer_names_the_part_that_differs", scorer_names_the_part_that_differs}});
}
