#include "scorer/scorer.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>

#include "base/error.h"
#include "bindings.h"
#include "scorer/trie_format.h"

namespace py = pybind11;

namespace speechmill::bindings {

LmState state_of(const py::bytes& bytes) {
  const auto view = static_cast<std::string_view>(bytes);
  LmState state{};
  if (view.size() != sizeof state.bytes) {
    throw ScorerError("a language model's state has " + std::to_string(sizeof state.bytes) + " bytes, not " +
                      std::to_string(view.size()) + "; was it made by a model?");
  }
  std::memcpy(state.bytes, view.data(), sizeof state.bytes);
  return state;
}

py::bytes bytes_of(const LmState& state) {
  return py::bytes(reinterpret_cast<const char*>(state.bytes), sizeof state.bytes);
}

namespace {

std::vector<std::tuple<std::string, float, bool>> sentence_scores(const LanguageModel& model,
                                                                  const std::string& text) {
  std::vector<std::tuple<std::string, float, bool>> answer;
  for (const WordScore& word : model.score_sentence(text)) {
    answer.emplace_back(word.word, word.log10, word.out_of_vocabulary);
  }
  return answer;
}

std::pair<float, py::bytes> score_word(const LanguageModel& model, const py::bytes& state,
                                       const std::string& word) {
  LmState after{};
  const float log10 = model.score_log10(state_of(state), model.word_index(word), &after);
  return {log10, bytes_of(after)};
}

// The identity that the directory's manifest claims; empty without a manifest.
std::map<std::string, std::string> manifest_identity(const std::string& directory) {
  std::map<std::string, std::string> identity;
  const py::object path = py::module_::import("pathlib").attr("Path")(directory) / py::str("manifest.json");
  if (!path.attr("is_file")().cast<bool>()) return identity;
  try {
    const py::dict manifest = py::module_::import("json").attr("loads")(path.attr("read_bytes")());
    if (!manifest.contains("identity")) return identity;
    for (const auto& [key, value] : manifest["identity"].cast<py::dict>()) {
      identity[py::str(key)] = py::str(value);
    }
  } catch (const py::error_already_set& error) {
    throw ScorerError("manifest " + py::str(path).cast<std::string>() + " cannot be read: " + error.what());
  } catch (const py::cast_error&) {
    throw ScorerError("manifest " + py::str(path).cast<std::string>() +
                      " is not a table with an identity table");
  }
  return identity;
}

Scorer load_scorer(const py::object& directory, float alpha, float beta) {
  const std::string path = to_path(directory);
  const auto identity = manifest_identity(path);
  const py::gil_scoped_release unlocked;
  return Scorer::load(path, {alpha, beta}, identity);
}

py::dict describe(const TrieInfo& info) {
  py::dict answer;
  answer["nodes"] = info.nodes;
  answer["words"] = info.words;
  answer["pronunciations"] = info.pronunciations;
  answer["skipped"] = info.skipped;
  answer["order"] = info.order;
  answer["alphabet_hash"] = info.alphabet_hash;
  answer["vocabulary_hash"] = info.vocabulary_hash;
  answer["lm_hash"] = info.lm_hash;
  answer["identity"] = info.identity;
  answer["highest_order"] = info.highest_order;
  answer["node_kind"] = info.node_kind == NodeKind::kSorted ? "sorted" : "bitmap";
  answer["labels"] = info.label_kind == LabelKind::kBytes ? "bytes" : "characters";
  answer["unit"] = info.unit == LmUnit::kCharacters ? "characters" : "words";
  return answer;
}

template <class Kind>
Kind named(const std::string& name, const std::map<std::string, Kind>& kinds, const char* what) {
  const auto entry = kinds.find(name);
  if (entry == kinds.end()) throw ScorerError(std::string("unknown ") + what + " \"" + name + "\"");
  return entry->second;
}

std::string in_words(const Scorer& scorer, const std::string& text) {
  if (!scorer.trie().pronounced()) return text;
  std::string words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) {
      const std::string sounds = text.substr(at, end - at);
      const std::uint32_t place = scorer.find(sounds);
      words += words.empty() ? "" : " ";
      words += place == 0 ? sounds : std::string(scorer.trie().text(place - 1));
    }
    at = end + 1;
  }
  return words;
}

// How a trie is built; what stands here is optional in Python.
struct TrieArguments {
  std::map<std::string, std::string> identity;
  std::string unit;
  std::optional<std::string> node_kind;
  std::optional<std::vector<std::vector<std::string>>> pronunciations;
};

py::dict build_trie(const std::vector<std::string>& words, const Alphabet& alphabet,
                    const py::object& lm_binary_path, const py::object& out_path,
                    const TrieArguments& arguments) {
  TrieBuild build{&alphabet, to_path(lm_binary_path), arguments.identity, LmUnit::kWords, std::nullopt};
  if (arguments.pronunciations.has_value()) build.pronunciations = &*arguments.pronunciations;
  build.unit =
      named<LmUnit>(arguments.unit, {{"words", LmUnit::kWords}, {"characters", LmUnit::kCharacters}}, "unit");
  if (arguments.node_kind.has_value()) {
    build.node_kind = named<NodeKind>(
        *arguments.node_kind, {{"bitmap", NodeKind::kBitmap}, {"sorted", NodeKind::kSorted}}, "node kind");
  }
  const std::string out = to_path(out_path);
  TrieInfo info;
  {
    const py::gil_scoped_release unlocked;
    info = build_lexicon_trie(words, build, out);
  }
  py::dict answer = describe(info);
  answer["bytes"] = FileSource(out).size();
  return answer;
}

void register_language_model(py::module_& module) {
  py::class_<LanguageModel, std::shared_ptr<LanguageModel>>(module, "LanguageModel",
                                                            "A KenLM model, without lexicon.")
      .def_static(
          "load",
          [](const py::object& path) {
            const std::string name = to_path(path);
            const py::gil_scoped_release unlocked;
            return std::const_pointer_cast<LanguageModel>(LanguageModel::load(name));
          },
          py::arg("path"), "Loads a KenLM binary or an ARPA file. Raises ScorerError with file and cause.")
      .def_property_readonly("order", &LanguageModel::order)
      .def_property_readonly("vocabulary_size", &LanguageModel::vocabulary_size,
                             "Number of words, <unk>, <s> and </s> among them.")
      .def("score_sentence", &sentence_scores, py::arg("text"),
           "(word, log10 probability, out of vocabulary) of every word between sentence start and end; </s> "
           "is last.")
      .def(
          "knows",
          [](const LanguageModel& model, const std::string& word) { return model.word_index(word) != 0; },
          py::arg("word"), "Whether the word is in the model's vocabulary.")
      .def(
          "start_state", [](const LanguageModel& model) { return bytes_of(model.start()); },
          "The state before a sentence's first word, opaque.")
      .def(
          "empty_state", [](const LanguageModel& model) { return bytes_of(model.no_context()); },
          "The state that knows no words, opaque.")
      .def("score_word", &score_word, py::arg("state"), py::arg("word"),
           "(log10 probability, state after it) of a word after a state. Raises ScorerError: no state.");
}

}  // namespace

void register_scorer(py::module_& module) {
  register_language_model(module);
  py::class_<Scorer>(module, "Scorer",
                     "Language model, lexicon and their weights; immutable, shared by threads.")
      .def_static("load", &load_scorer, py::arg("lm_dir"), py::arg("alpha") = Weights{}.alpha,
                  py::arg("beta") = Weights{}.beta,
                  "Loads lm.binary, lexicon.trie and alphabet.txt of a language model directory and proves "
                  "that they and\n"
                  "manifest.json are of one build. alpha: weight of the language model's natural logarithm. "
                  "beta: bonus\n"
                  "per word. Raises ScorerError naming the part that differs.")
      .def(
          "with_weights",
          [](const Scorer& self, float alpha, float beta) {
            return self.with_weights({alpha, beta});
          },
          py::arg("alpha"), py::arg("beta"), "The same model and lexicon at other weights; cheap.")
      .def(
          "score_sentence",
          [](const Scorer& self, const std::string& text) { return sentence_scores(self.model(), text); },
          py::arg("text"),
          "(word, log10 probability, out of vocabulary) of every word between sentence start and end; </s> "
          "is last.")
      .def(
          "knows",
          [](const Scorer& self, const std::string& word) {
            if (self.trie().pronounced()) return self.trie().speaks(self.model().word_index(word));
            return self.find(word) != 0;
          },
          py::arg("word"), "True if the lexicon holds the word.")
      .def_property_readonly("alpha", &Scorer::alpha)
      .def_property_readonly("beta", &Scorer::beta)
      .def("in_words", &in_words, py::arg("text"),
           "A text of the network's labels as words: where the lexicon is of pronunciations what stands "
           "between "
           "two\n"
           "blanks becomes the most probable word that sounds so, or stays; else the text itself.")
      .def(
          "pronunciations",
          [](const Scorer& self) {
            const py::gil_scoped_release unlocked;
            return self.trie().pronunciations();
          },
          "(word, labels' numbers) of every way in which a word is said; none where words are spelled in "
          "letters.")
      .def_property_readonly("order", [](const Scorer& self) { return self.model().order(); })
      .def_property_readonly(
          "lm_hash", [](const Scorer& self) { return self.trie().info().lm_hash; },
          "SHA-256 (hex) of lm.binary.")
      .def_property_readonly("alphabet", [](const Scorer& self) { return self.alphabet(); })
      .def_property_readonly(
          "info", [](const Scorer& self) { return describe(self.trie().info()); },
          "What the lexicon trie says about itself.");
  module.def(
      "build_lexicon_trie",
      [](const std::vector<std::string>& words, const Alphabet& alphabet, const py::object& lm_binary_path,
         const py::object& out_path, std::map<std::string, std::string> identity, std::string unit,
         std::optional<std::string> node_kind,
         std::optional<std::vector<std::vector<std::string>>> pronunciations) {
        return build_trie(
            words, alphabet, lm_binary_path, out_path,
            {std::move(identity), std::move(unit), std::move(node_kind), std::move(pronunciations)});
      },
      py::arg("words"), py::arg("alphabet"), py::arg("lm_binary_path"), py::arg("out_path"),
      py::arg("identity"), py::arg("unit") = "words", py::arg("node_kind") = py::none(),
      py::arg("pronunciations") = py::none(),
      "Builds a lexicon trie file atomically; the same input gives the same bytes. unit: \"words\" or "
      "\"characters\"\n"
      "(every word of the language model is one character, U+2581 the space). node_kind: \"bitmap\" or "
      "\"sorted\";\n"
      "None: bitmap where the alphabet has up to 32 labels. pronunciations: of each of the words, the labels "
      "it "
      "is\n"
      "said with; a word with several stands several times. Returns nodes, words, pronunciations, skipped "
      "(words left\n"
      "out, by reason), bytes and the hashes. Raises ScorerError.");
  module.attr("TRIE_VERSION") = kTrieVersion;
  module.attr("KENLM_VERSION") = LanguageModel::kenlm_version();
  module.attr("KENLM_MAX_ORDER") = LanguageModel::highest_order();
}

}  // namespace speechmill::bindings
