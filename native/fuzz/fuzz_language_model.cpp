// Any bytes as a language model, KenLM binary or ARPA: a ScorerError, or a model that scores sentences
// without reading outside of the file, and takes a lexicon of any words.
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "scorer/language_model.h"
#include "toy_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace speechmill;
  static const testing::ToyDirectory toy;
  static const std::string path = toy.path() + "/fuzz.binary";
  static const std::string trie = toy.path() + "/fuzz.trie";
  testing::spit(path, std::string(reinterpret_cast<const char*>(data), size));
  try {
    const auto model = LanguageModel::load(path);
    for (const char* sentence : {"a ab ba b", "b a b a b a b a", "zz a zz ab", ""})
      model->score_sentence(sentence);
    LmState state = model->start();
    for (std::uint32_t word = 0; word < model->vocabulary_size() && word < 50; ++word) {
      LmState next;
      model->score(state, word, &next);
      state = next;
    }
    model->finish(state);
    const std::string tail(reinterpret_cast<const char*>(data) + size / 2, size - size / 2);
    build_lexicon_trie({"a", "ab", tail.substr(0, 20), "ba"}, {&toy.alphabet(), path, {}}, trie);
    LexiconTrie::load(trie);
  } catch (const ScorerError&) {
  }
  ::unlink(path.c_str());
  ::unlink(trie.c_str());
  return 0;
}
