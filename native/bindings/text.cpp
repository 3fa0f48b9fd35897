// Cleaning of running text for language models: held-out sentences, layout, sentences.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings.h"
#include "text/cleaner.h"
#include "text/held_out.h"
#include "text/layout.h"
#include "text/word_counter.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

std::string_view view(const py::bytes& data) {
  return data;
}

CharacterRule character_rule(const py::tuple& rule) {
  return {static_cast<char32_t>(rule[0].cast<std::uint32_t>()), rule[1].cast<std::string>(),
          rule[2].cast<bool>(), rule[3].cast<bool>()};
}

TextCleaner make_cleaner(const py::iterable& characters, const std::vector<std::string>& leading,
                         const std::vector<std::string>& trailing, const std::vector<std::string>& titles,
                         bool apostrophe, const std::unordered_map<std::string, std::string>& spoken,
                         bool spaced) {
  CleanerRules rules{{}, leading, trailing, titles, apostrophe, spaced, spoken};
  for (const py::handle rule : characters)
    rules.characters.push_back(character_rule(py::cast<py::tuple>(rule)));
  return TextCleaner(rules);
}

py::dict tally_dict(const SentenceTally& tally) {
  py::dict answer;
  answer["read"] = tally.read;
  answer["kept"] = tally.kept;
  answer["words"] = tally.words;
  answer["longest_words"] = tally.longest_words;
  answer["left_out"] = tally.left_out;
  answer["readmitted"] = tally.readmitted;
  answer["short_overlap"] = tally.short_overlap;
  answer["refused_numbers"] = tally.refused_numbers;
  answer["refused_empty"] = tally.refused_empty;
  return answer;
}

py::object clean(const TextCleaner& cleaner, const py::bytes& raw, bool wrapped, const HeldOut* held_out) {
  const std::string_view data = view(raw);
  CleanedText cleaned;
  {
    const py::gil_scoped_release unlocked;
    cleaned = cleaner.clean(data, wrapped, held_out);
  }
  if (cleaned.not_utf8) return py::none();
  py::list odd;
  for (const OddSentence& sentence : cleaned.odd) {
    odd.append(py::make_tuple(sentence.offset, py::bytes(sentence.raw)));
  }
  return py::make_tuple(py::bytes(cleaned.lines), odd, tally_dict(cleaned.tally));
}

py::tuple admit(const HeldOut& held_out, const py::bytes& lines) {
  const std::string_view data = view(lines);
  SentenceTally tally;
  std::string kept;
  {
    const py::gil_scoped_release unlocked;
    kept = held_out.admit_lines(data, &tally);
  }
  return py::make_tuple(py::bytes(kept), tally_dict(tally));
}

void count_words(WordCounter& counter, const py::bytes& text) {
  const std::string_view data = view(text);
  const py::gil_scoped_release unlocked;
  counter.add(data);
}

py::list top_words(WordCounter& counter, std::size_t most) {
  std::vector<WordCount> words;
  {
    const py::gil_scoped_release unlocked;
    words = counter.top(most);
  }
  py::list answer;
  for (const WordCount& word : words) answer.append(py::make_tuple(py::bytes(word.word), word.count));
  return answer;
}

}  // namespace

void register_text(py::module_& module) {
  py::class_<WordCounter>(module, "WordCounter", "How often each word occurs, in bounded memory.")
      .def(py::init<std::string, std::uint64_t>(), py::arg("prefix"), py::arg("memory_bytes"),
           "Words that do not fit in memory_bytes go to sorted files, named prefix and a number, which end "
           "with the "
           "object.")
      .def("add", &count_words, py::arg("text"), "Counts words divided by blanks and line ends.")
      .def("top", &top_words, py::arg("most"),
           "[(word, count)]: the most frequent first, equal counts in the order of their bytes.")
      .def("types", &WordCounter::types, py::call_guard<py::gil_scoped_release>(),
           "The number of different words.")
      .def_property_readonly("runs", &WordCounter::runs, "The number of files in use.");
  py::class_<HeldOut>(module, "HeldOut", "Sentences that must not be learned from; immutable.")
      .def(
          py::init<const std::vector<std::string>&, std::size_t, bool>(), py::arg("sentences"),
          py::arg("long_words"), py::arg("keep_long") = false,
          "From long_words words on a sentence is left out, unless keep_long; shorter ones are only counted.")
      .def("admit", &admit, py::arg("lines"),
           "(the admitted ones, counts) of clean sentences, UTF-8, one a line.");
  py::class_<TextCleaner>(module, "TextCleaner",
                          "Running text to clean sentences; immutable, shared by threads.")
      .def(py::init(&make_cleaner), py::arg("characters"), py::arg("leading_apostrophe"),
           py::arg("trailing_apostrophe"), py::arg("titles"), py::arg("apostrophe"),
           py::arg("spoken") = std::unordered_map<std::string, std::string>{}, py::arg("spaced") = true,
           "characters: (code point, text, is white space, is capital) of every character whose clean form "
           "does not\ndepend on its neighbours.")
      .def("clean", &clean, py::arg("raw"), py::arg("wrapped"), py::arg("held_out") = nullptr,
           "(lines, [(offset, raw sentence)], counts): clean sentences, UTF-8, one a line, and the sentences "
           "left to the\nnormaliser with the place in `lines` where each belongs; None where raw is not "
           "UTF-8.");
  module.def(
      "text_lines_are_wrapped", [](const py::bytes& sample) { return lines_are_wrapped(view(sample)); },
      py::arg("sample"), "Whether a text's lines were broken to a width.");
  module.def(
      "text_names_gutenberg", [](const py::bytes& text) { return names_gutenberg(view(text)); },
      py::arg("text"), "Whether the name of Project Gutenberg stands in the text.");
  module.def(
      "text_layout",
      [](const py::bytes& raw, bool wrapped) {
        std::string text = plain_text(view(raw));
        if (wrapped) join_wrapped_lines(&text);
        return py::bytes(text);
      },
      py::arg("raw"), py::arg("wrapped"),
      "The text before sentences are looked for: plain signs, whole paragraphs.");
}

}  // namespace speechmill::bindings
