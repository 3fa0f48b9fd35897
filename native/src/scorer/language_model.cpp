#include "scorer/language_model.h"

#include <cstring>
#include <exception>
#include <lm/binary_format.hh>
#include <lm/model.hh>
#include <type_traits>

#include "base/error.h"
#include "base/file.h"
#include "scorer/model_check.h"

namespace speechmill {
namespace {

using KenState = lm::ngram::State;
static_assert(sizeof(KenState) <= sizeof(LmState) && alignof(KenState) <= alignof(LmState) &&
                  std::is_trivially_copyable_v<KenState>,
              "LmState must hold KenLM's state; was KENLM_MAX_ORDER raised?");

const KenState& unwrap(const LmState& state) {
  return *reinterpret_cast<const KenState*>(state.bytes);
}

LmState wrap(const KenState& state) {
  LmState wrapped{};
  std::memcpy(wrapped.bytes, &state, sizeof state);
  return wrapped;
}

lm::ngram::Config quiet_config() {
  lm::ngram::Config config;
  config.show_progress = false;
  config.messages = nullptr;
  config.arpa_complain = lm::ngram::Config::NONE;
  config.load_method = util::POPULATE_OR_LAZY;
  return config;
}

// One class per KenLM storage kind, so that a score costs one virtual call and not two.
template <class Model>
class KenLanguageModel final : public LanguageModel {
public:
  explicit KenLanguageModel(const std::string& path) : model_(path.c_str(), quiet_config()) {}

  int order() const override { return model_.Order(); }
  std::size_t vocabulary_size() const override { return model_.GetVocabulary().Bound(); }
  std::uint32_t word_index(std::string_view word) const override {
    return model_.GetVocabulary().Index(StringPiece(word.data(), word.size()));
  }
  LmState start() const override { return wrap(model_.BeginSentenceState()); }
  LmState no_context() const override { return wrap(model_.NullContextState()); }
  float score(const LmState& state, std::uint32_t word, LmState* next) const override {
    auto& out = *reinterpret_cast<KenState*>(next->bytes);
    return model_.FullScore(unwrap(state), word, out).prob * kNaturalPerLog10;
  }
  float score_log10(const LmState& state, std::uint32_t word, LmState* next) const override {
    return model_.FullScore(unwrap(state), word, *reinterpret_cast<KenState*>(next->bytes)).prob;
  }
  std::uint32_t end_index() const override { return model_.GetVocabulary().EndSentence(); }
  float finish(const LmState& state) const override {
    LmState after;
    return score(state, model_.GetVocabulary().EndSentence(), &after);
  }

private:
  Model model_;
};

std::shared_ptr<const LanguageModel> load_by_kind(const std::string& path) {
  lm::ngram::ModelType kind = lm::ngram::PROBING;
  if (!lm::ngram::RecognizeBinary(path.c_str(), kind)) kind = lm::ngram::PROBING;  // an ARPA file
  switch (kind) {
    case lm::ngram::PROBING:
      return std::make_shared<KenLanguageModel<lm::ngram::ProbingModel>>(path);
    case lm::ngram::REST_PROBING:
      return std::make_shared<KenLanguageModel<lm::ngram::RestProbingModel>>(path);
    case lm::ngram::TRIE:
      return std::make_shared<KenLanguageModel<lm::ngram::TrieModel>>(path);
    case lm::ngram::QUANT_TRIE:
      return std::make_shared<KenLanguageModel<lm::ngram::QuantTrieModel>>(path);
    case lm::ngram::ARRAY_TRIE:
      return std::make_shared<KenLanguageModel<lm::ngram::ArrayTrieModel>>(path);
    case lm::ngram::QUANT_ARRAY_TRIE:
      return std::make_shared<KenLanguageModel<lm::ngram::QuantArrayTrieModel>>(path);
  }
  throw ScorerError("language model " + path + " is of a kind this build does not know");
}

}  // namespace

void LanguageModel::check_first_bytes(const std::string& path) {
  char start[24] = "";
  std::size_t got = 0;
  try {
    got = FileSource(path).read_at(0, start, sizeof start);
  } catch (const std::runtime_error& error) {
    throw ScorerError(std::string("language model ") + error.what());
  }
  if (got == 0)
    throw ScorerError("language model " + path + " is empty; the build that wrote it did not finish");
  if (std::string_view(start, got).substr(0, 23) == "version https://git-lfs") {
    throw ScorerError("language model " + path + " is a Git LFS pointer, not a model; run `git lfs pull`");
  }
}

std::shared_ptr<const LanguageModel> LanguageModel::load(const std::string& path) {
  check_first_bytes(path);
  try {
    check_kenlm_binary(path);
    return load_by_kind(path);
  } catch (const ScorerError&) {
    throw;
  } catch (const std::exception& error) {
    throw ScorerError("language model " + path + " cannot be loaded: " + error.what());
  }
}

int LanguageModel::highest_order() {
  return KENLM_MAX_ORDER;
}

const char* LanguageModel::kenlm_version() {
  return SPEECHMILL_KENLM_VERSION;
}

std::vector<WordScore> LanguageModel::score_sentence(std::string_view text) const {
  std::vector<WordScore> scores;
  LmState state = start();
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) break;
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    const std::uint32_t index = word_index(word);
    LmState next;
    const float natural = score(state, index, &next);
    scores.push_back({std::string(word), natural / kNaturalPerLog10, index == 0});
    state = next;
  }
  scores.push_back({"</s>", finish(state) / kNaturalPerLog10, false});
  return scores;
}

}  // namespace speechmill
