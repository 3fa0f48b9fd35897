#include "scorer/scorer.h"

#include <cmath>
#include <utility>

#include "base/error.h"
#include "hashes/sha256.h"

namespace speechmill {
namespace {

std::string brief(const std::string& hash) {
  return hash.size() > 16 ? hash.substr(0, 16) + "..." : hash;
}

[[noreturn]] void mismatch(const std::string& directory, const std::string& what) {
  throw ScorerError("language model directory " + directory + ": " + what +
                    "; build it again with `python -m lm build`, or fetch all of its files from one build");
}

void compare(const std::string& directory, const std::string& part, const std::string& trie,
             const std::string& other, const std::string& other_name) {
  if (trie == other) return;
  mismatch(directory, part + " of lexicon.trie (" + brief(trie) + ") and of " + other_name + " (" +
                          brief(other) + ") differ");
}

void check_manifest(const std::string& directory, const TrieInfo& info,
                    const std::map<std::string, std::string>& manifest) {
  std::map<std::string, std::string> own = info.identity;
  own["alphabet_hash"] = info.alphabet_hash;
  own["vocabulary_hash"] = info.vocabulary_hash;
  own["lm_hash"] = info.lm_hash;
  own["order"] = std::to_string(info.order);
  own["highest_order"] = std::to_string(info.highest_order);
  own["unit"] = info.unit == LmUnit::kCharacters ? "characters" : "words";
  own["labels"] = info.label_kind == LabelKind::kBytes ? "bytes" : "characters";
  for (const auto& [key, value] : manifest) {
    const auto entry = own.find(key);
    if (entry != own.end()) compare(directory, key, entry->second, value, "manifest.json");
  }
}

// What this library's KenLM can read must be what the builder's KenLM wrote.
void check_kenlm(const std::string& directory, const TrieInfo& info) {
  const auto version = info.identity.find("kenlm_version");
  const std::string own = LanguageModel::kenlm_version();
  if (version != info.identity.end() && version->second != own && version->second != "unknown") {
    mismatch(directory,
             "it was built with KenLM " + version->second + ", this library reads with KenLM " + own);
  }
  if (info.order > static_cast<std::uint32_t>(LanguageModel::highest_order())) {
    mismatch(directory, "its order is " + std::to_string(info.order) + ", this library's KenLM reads up to " +
                            std::to_string(LanguageModel::highest_order()));
  }
}

// The whole file is compared before KenLM sees a byte of it.
void check_model_file(const std::string& directory, const TrieInfo& info,
                      const std::map<std::string, std::string>& manifest) {
  const std::string path = directory + "/lm.binary";
  LanguageModel::check_first_bytes(path);
  std::string found;
  try {
    found = sha256_file(path);
  } catch (const std::runtime_error& error) {
    throw ScorerError(std::string("language model ") + error.what());
  }
  const auto claimed = manifest.find("lm_hash");
  if (found != info.lm_hash && claimed != manifest.end() && claimed->second == info.lm_hash) {
    mismatch(directory, "lm.binary (" + brief(found) +
                            ") is not the file that lexicon.trie and manifest.json name (" +
                            brief(info.lm_hash) + "): it was damaged or replaced");
  }
  compare(directory, "the language model", info.lm_hash, found, "lm.binary");
}

void check_weights(const Weights& weights) {
  if (!(weights.alpha >= 0.0F) || std::isinf(weights.alpha)) {
    throw ScorerError("alpha " + std::to_string(weights.alpha) + " must be a finite number, 0 or above");
  }
  if (!std::isfinite(weights.beta)) throw ScorerError("beta must be a finite number");
}

}  // namespace

Scorer::Scorer(std::shared_ptr<const LanguageModel> model, std::shared_ptr<const LexiconTrie> trie,
               const Weights& weights)
    : model_(std::move(model)), trie_(std::move(trie)), weights_(weights) {
  check_weights(weights_);
  const TrieInfo& info = trie_->info();
  alphabet_ =
      std::make_shared<const Alphabet>(Alphabet::parse(info.alphabet_text, "lexicon.trie", info.blank));
  if (info.vocabulary_size > model_->vocabulary_size()) {
    throw ScorerError("the lexicon trie was built for " + std::to_string(info.vocabulary_size) +
                      " words, the language model has " + std::to_string(model_->vocabulary_size()));
  }
  if (alphabet_->space() < 0 && info.unit == LmUnit::kWords) {
    throw ScorerError("the lexicon's alphabet has no space label, so words cannot be told apart");
  }
}

Scorer Scorer::load(const std::string& directory, const Weights& weights,
                    const std::map<std::string, std::string>& manifest) {
  auto trie = std::make_shared<const LexiconTrie>(LexiconTrie::load(directory + "/lexicon.trie"));
  const TrieInfo& info = trie->info();
  check_manifest(directory, info, manifest);
  try {
    const Alphabet alphabet = Alphabet::load(directory + "/alphabet.txt");
    compare(directory, "the alphabet", info.alphabet_hash, alphabet.spelling().hash(), "alphabet.txt");
  } catch (const AlphabetError& error) {
    throw ScorerError("language model directory " + directory + ": " + error.what());
  }
  check_kenlm(directory, info);
  check_model_file(directory, info, manifest);
  auto model = LanguageModel::load(directory + "/lm.binary");
  compare(directory, "the order", std::to_string(info.order), std::to_string(model->order()), "lm.binary");
  return Scorer(std::move(model), std::move(trie), weights);
}

std::uint32_t Scorer::find(std::string_view labels) const {
  std::vector<int> ids;
  if (labels.empty() || !alphabet_->try_encode(labels, &ids)) return 0;
  for (int& id : ids) id = alphabet_->label_of(id);
  return trie_->find(ids);
}

Scorer Scorer::with_weights(const Weights& weights) const {
  check_weights(weights);
  Scorer other = *this;
  other.weights_ = weights;
  return other;
}

}  // namespace speechmill
