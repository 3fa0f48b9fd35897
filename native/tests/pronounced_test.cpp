// Lexicons of pronunciations: words that sound alike and words said in several ways, in the file and in the
// search.
#include <algorithm>

#include "brute_force.h"
#include "scorer/trie_format.h"

using namespace speechmill;
using testing::check_case;
using testing::random_rows;
using testing::random_weights;
using testing::ToyDirectory;

namespace {

using Spelling = std::vector<std::string>;

const std::vector<std::string> kWords = {"a", "a", "ab", "b", "b", "b", "ba", "ba", "zz", "a", "b"};
const std::vector<Spelling> kSounds = {{"AH"},      {"AH", "B"}, {"AH"}, {"B"},  {"AH", "B"}, {"AH", "B"},
                                       {"B", "AH"}, {"AH"},      {"B"},  {"OW"}, {}};
const std::multimap<std::string, std::string> kHeard = {{"AH", "a"},  {"AHB", "a"},  {"AH", "ab"}, {"B", "b"},
                                                        {"AHB", "b"}, {"BAH", "ba"}, {"AH", "ba"}};

Alphabet sounds(int blank = -1) {
  return Alphabet({" ", "AH", "B"}, blank);
}

TrieInfo build(const ToyDirectory& toy, const std::string& path, std::optional<NodeKind> kind = {}) {
  const Alphabet alphabet = sounds();
  TrieBuild build{&alphabet, toy.path() + "/lm.binary", {{"pronunciations_hash", "x"}}, LmUnit::kWords, kind};
  build.pronunciations = &kSounds;
  return build_lexicon_trie(kWords, build, path);
}

Scorer scorer_of(const ToyDirectory& toy, const Weights& weights, std::optional<NodeKind> kind = {}) {
  const std::string path = toy.path() + "/lexicon.trie";
  build(toy, path, kind);
  return Scorer(LanguageModel::load(toy.path() + "/lm.binary"),
                std::make_shared<const LexiconTrie>(LexiconTrie::load(path)), weights);
}

std::vector<std::string> words_at(const LexiconTrie& trie, const std::vector<int>& labels) {
  std::vector<std::string> words;
  if (trie.find(labels) == 0) return words;
  for (std::uint32_t place = trie.find(labels) - 1;; ++place) {
    words.emplace_back(trie.text(place));
    if (trie.spoken(place).more == 0) return words;
  }
}

void words_of_one_sound_stand_at_one_node() {
  const ToyDirectory toy;
  for (const NodeKind kind : {NodeKind::kBitmap, NodeKind::kSorted}) {
    const TrieInfo info = build(toy, toy.path() + "/lexicon.trie", kind);
    const LexiconTrie trie = LexiconTrie::load(toy.path() + "/lexicon.trie");
    CHECK(trie.pronounced() && trie.kind() == kind);
    CHECK_EQUAL(trie.info().words, 4U);
    CHECK_EQUAL(trie.info().pronunciations, 7U);
    CHECK_EQUAL(trie.info().most_alike, 3U);
    CHECK_EQUAL(info.skipped.at("duplicate"), 1U);
    std::multimap<std::string, std::string> heard;
    for (const auto& [word, labels] : trie.pronunciations()) {
      std::string said;
      for (const int label : labels) said += sounds().labels()[static_cast<std::size_t>(label)];
      heard.emplace(said, std::string(word));
    }
    CHECK(std::is_permutation(heard.begin(), heard.end(), kHeard.begin(), kHeard.end()));
    CHECK_EQUAL(info.skipped.at("not_in_language_model"), 1U);
    CHECK_EQUAL(info.skipped.at("outside_alphabet"), 2U);
    CHECK((words_at(trie, {1}) == std::vector<std::string>{"a", "ab", "ba"}));  // the most probable first
    CHECK((words_at(trie, {1, 2}) == std::vector<std::string>{"a", "b"}));
    CHECK((words_at(trie, {2}) == std::vector<std::string>{"b"}));
    CHECK((words_at(trie, {2, 1}) == std::vector<std::string>{"ba"}));
    const auto model = LanguageModel::load(toy.path() + "/lm.binary");
    for (const char* word : {"a", "ab", "b", "ba"}) CHECK(trie.speaks(model->word_index(word)));
    CHECK(!trie.speaks(0) && !trie.speaks(1000));
    CHECK_NEAR(trie.look_ahead(trie.step(0, 1)), -0.7 * kNaturalPerLog10, 1e-5);
    CHECK_NEAR(trie.look_ahead(trie.step(trie.step(0, 2), 1)), -1.3 * kNaturalPerLog10, 1e-5);
  }
}

void the_same_pronunciations_give_the_same_bytes() {
  const ToyDirectory toy;
  build(toy, toy.path() + "/lexicon.trie");
  const std::string first = testing::slurp(toy.path() + "/lexicon.trie");
  const Alphabet alphabet = sounds();
  TrieBuild again{&alphabet, toy.path() + "/lm.binary", {{"pronunciations_hash", "x"}}};
  const std::vector<std::string> words(kWords.rbegin(), kWords.rend());
  const std::vector<Spelling> said(kSounds.rbegin(), kSounds.rend());
  again.pronunciations = &said;
  build_lexicon_trie(words, again, toy.path() + "/lexicon.trie");
  CHECK(testing::slurp(toy.path() + "/lexicon.trie") == first);
}

// Every changed byte behind the checksum is refused, or leaves a lexicon whose words all can be read.
void damage_is_refused_or_harmless() {
  const ToyDirectory toy;
  build(toy, toy.path() + "/lexicon.trie");
  const std::string good = testing::slurp(toy.path() + "/lexicon.trie");
  std::vector<std::uint64_t> room(good.size() / 8 + 1);
  auto* bytes = reinterpret_cast<std::uint8_t*>(room.data());
  std::size_t refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {1, 0x80}) {
      std::memcpy(bytes, good.data(), good.size());
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ flip);
      CHECK_THROWS(ScorerError, LexiconTrie::from_memory(bytes, good.size(), "x.trie"), "x.trie");
      TrieHeader header;
      std::memcpy(&header, bytes, sizeof header);
      header.checksum = trie_checksum(header, bytes, good.size());
      std::memcpy(bytes, &header, sizeof header);
      try {
        const LexiconTrie trie = LexiconTrie::from_memory(bytes, good.size(), "x.trie");
        for (std::uint32_t node = 0; trie.pronounced() && node < trie.info().nodes; ++node) {
          std::uint32_t place = trie.word(node);
          if (place-- == 0) continue;
          CHECK(!trie.text(place).empty());
          while (trie.spoken(place).more != 0) CHECK(!trie.text(++place).empty());
        }
      } catch (const ScorerError&) {
        ++refused;
      }
    }
  }
  CHECK(refused > good.size() / 4);
}

void what_does_not_fit_is_refused() {
  const ToyDirectory toy;
  const std::string path = toy.path() + "/other.trie";
  const Alphabet alphabet = sounds();
  const std::vector<Spelling> one = {{"AH"}};
  TrieBuild how{&alphabet, toy.path() + "/lm.binary", {}};
  how.pronunciations = &one;
  CHECK_THROWS(ScorerError, build_lexicon_trie({"a", "b"}, how, path), "1 pronunciations for 2 words");
  how.unit = LmUnit::kCharacters;
  CHECK_THROWS(ScorerError, build_lexicon_trie({"a"}, how, path), "language model of words");
  const Alphabet bytes = Alphabet::bytes();
  how.unit = LmUnit::kWords;
  how.alphabet = &bytes;
  CHECK_THROWS(ScorerError, build_lexicon_trie({"a"}, how, path), "bytes or pieces");
  const Scorer scorer = scorer_of(toy, {});
  SearchOptions open;
  open.open_vocabulary = true;
  CHECK_THROWS(DecodeError, BeamSearch(alphabet, &scorer, open), "of pronunciations", "open_vocabulary");
  SearchOptions hot;
  hot.hot_words = std::make_shared<const HotWords>(testing::Phrases{{"AH", 1.0F}}, alphabet);
  CHECK_THROWS(DecodeError, BeamSearch(alphabet, &scorer, hot), "of pronunciations", "hot_words");
  const std::string mark(kBeginMark);
  const Alphabet pieces = Alphabet::of_pieces({mark + "AH", "B"}, PieceMark::kBegin);
  CHECK_THROWS(DecodeError, BeamSearch(pieces, &scorer, {}), "of pronunciations", "pieces");
}

void exact(NodeKind kind) {
  const ToyDirectory toy;
  std::mt19937 random(11);
  for (int i = 0; i < 500; ++i) {
    const Scorer scorer = scorer_of(toy, random_weights(&random), kind);
    check_case(sounds(static_cast<int>(random() % 4)), {&scorer, {"a", "ab", "b", "ba"}, false, kHeard}, {},
               {}, random_rows(&random, random() % 7, 4));
  }
}

void the_search_is_exact() {
  exact(NodeKind::kBitmap);
  exact(NodeKind::kSorted);
}

// Long audio through a narrow beam, so that labels settle and doubts are decided: what is written is what the
// language model was asked for, and pieces do not matter.
void long_audio_settles_into_words() {
  const ToyDirectory toy;
  const Scorer scorer = scorer_of(toy, {0.8F, 0.5F});
  std::mt19937 random(12);
  const Alphabet alphabet = sounds();
  for (const std::size_t doubts : {4U, 20U, 400U}) {
    const std::vector<float> rows = random_rows(&random, 3000, 4);
    SearchOptions options;
    options.beam_width = 12;
    options.doubt_labels = doubts;
    BeamSearch whole(alphabet, &scorer, options);
    whole.feed(rows.data(), 3000);
    BeamSearch pieces(alphabet, &scorer, options);
    for (std::size_t at = 0; at < 3000; at += 30) {
      pieces.feed(rows.data() + 4 * at, 30);
      pieces.finish();
    }
    CHECK(doubts == 400U || whole.usage().settled > 100);
    const Hypothesis best = whole.finish()[0];
    CHECK(pieces.finish()[0].text == best.text && pieces.finish()[0].score == best.score);
    const std::vector<std::string> words = testing::words_of(best.text);
    CHECK(words.size() > 100 && words.size() == best.words.size());
    LmState state = scorer.model().start();
    double lm = 0.0;
    for (std::size_t i = 0; i < words.size(); ++i) {
      CHECK(words[i] == best.words[i].word);
      CHECK(scorer.trie().speaks(scorer.model().word_index(words[i])));
      CHECK(best.words[i].confidence >= 0.0F && best.words[i].confidence <= 1.0F);
      LmState next;
      lm += static_cast<double>(scorer.model().score(state, scorer.model().word_index(words[i]), &next));
      state = next;
    }
    CHECK_NEAR(best.lm, lm + scorer.model().finish(state), 1e-2);
    CHECK(std::is_sorted(best.timesteps.begin(), best.timesteps.end()));
  }
}

}  // namespace

int main() {
  return testing::run_tests(
      {{"words_of_one_sound_stand_at_one_node", words_of_one_sound_stand_at_one_node},
       {"the_same_pronunciations_give_the_same_bytes", the_same_pronunciations_give_the_same_bytes},
       {"damage_is_refused_or_harmless", damage_is_refused_or_harmless},
       {"what_does_not_fit_is_refused", what_does_not_fit_is_refused},
       {"the_search_is_exact", the_search_is_exact},
       {"long_audio_settles_into_words", long_audio_settles_into_words}});
}
