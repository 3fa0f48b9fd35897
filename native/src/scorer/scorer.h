// Everything the search asks about words: language model, lexicon, and the two weights that price them.
//
// A text y of n words with acoustic probability P(y) scores
//     score(y) = ln P(y) + alpha * ln P_lm(<s> y </s>) + beta * n        (natural logarithms)
// A scorer is immutable and shared by threads; with_weights() gives another one on the same mapped files.
//
// A language model directory holds lm.binary, lexicon.trie, alphabet.txt (and manifest.json, read by the
// Python face). Loading proves that they belong together and names the part that does not.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "scorer/alphabet.h"
#include "scorer/language_model.h"
#include "scorer/lexicon_trie.h"

namespace speechmill {

struct Weights {
  float alpha = 0.5F;  // of the language model, at least 0
  float beta = 1.5F;   // bonus per word
};

class Scorer {
public:
  // `manifest` is the identity the directory's manifest claims (empty: nothing to compare): alphabet_hash,
  // vocabulary_hash, lm_hash, order, and the trie's own identity entries. Throws ScorerError.
  static Scorer load(const std::string& directory, const Weights& weights,
                     const std::map<std::string, std::string>& manifest = {});
  Scorer(std::shared_ptr<const LanguageModel> model, std::shared_ptr<const LexiconTrie> trie,
         const Weights& weights);

  // The same model and lexicon at another price.
  Scorer with_weights(const Weights& weights) const;

  const LanguageModel& model() const { return *model_; }
  const LexiconTrie& trie() const { return *trie_; }
  const Alphabet& alphabet() const { return *alphabet_; }
  // The lexicon's `word` of a text of labels (where words are spelled in letters: a word); 0 where it has
  // none.
  std::uint32_t find(std::string_view labels) const;
  float alpha() const { return weights_.alpha; }
  float beta() const { return weights_.beta; }

private:
  std::shared_ptr<const LanguageModel> model_;
  std::shared_ptr<const LexiconTrie> trie_;
  std::shared_ptr<const Alphabet> alphabet_;  // from the trie, with its blank
  Weights weights_;
};

}  // namespace speechmill
