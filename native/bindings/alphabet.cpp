#include "scorer/alphabet.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

std::vector<std::string> in_nfc(const std::vector<py::str>& labels) {
  std::vector<std::string> texts;
  for (const py::str& label : labels) texts.push_back(nfc(label));
  return texts;
}

Alphabet make_alphabet(const std::vector<py::str>& labels, int blank) {
  return Alphabet(in_nfc(labels), blank);
}

Alphabet make_pieces(const std::vector<py::str>& labels, int blank, const std::string& mark) {
  if (mark != kBeginMark && mark != kContinueMark) {
    throw AlphabetError("mark \"" + mark + "\" is unknown; \"" + std::string(kBeginMark) +
                        "\" begins a word, \"##\" continues one");
  }
  return Alphabet::of_pieces(in_nfc(labels), mark == kBeginMark ? PieceMark::kBegin : PieceMark::kContinue,
                             blank);
}

// A file whose labels are not in NFC is brought there, so that it compares with NFC text.
Alphabet load_alphabet(const py::object& path, int blank) {
  const Alphabet raw = Alphabet::load(to_path(path), blank);
  if (raw.kind() == LabelKind::kBytes) return raw;
  const auto labels = py::cast(raw.labels()).cast<std::vector<py::str>>();
  if (raw.kind() == LabelKind::kPieces) return Alphabet::of_pieces(in_nfc(labels), raw.piece_mark(), blank);
  return make_alphabet(labels, blank);
}

// Labels as str; a byte that is no text of its own becomes a lone surrogate, as in os.fsdecode.
std::vector<py::str> label_texts(const Alphabet& alphabet) {
  std::vector<py::str> texts;
  for (const std::string& label : alphabet.labels()) {
    PyObject* text =
        PyUnicode_DecodeUTF8(label.data(), static_cast<Py_ssize_t>(label.size()), "surrogateescape");
    if (text == nullptr) throw py::error_already_set();
    texts.push_back(py::reinterpret_steal<py::str>(text));
  }
  return texts;
}

const char* kind_name(const Alphabet& alphabet) {
  if (alphabet.kind() == LabelKind::kPieces) return "pieces";
  return alphabet.kind() == LabelKind::kBytes ? "bytes" : "characters";
}

std::string describe(const Alphabet& alphabet) {
  return "Alphabet(" + std::to_string(alphabet.labels().size()) + " labels, blank " +
         std::to_string(alphabet.blank()) + ", " + alphabet.hash().substr(0, 12) + ")";
}

}  // namespace

void register_alphabet(py::module_& module) {
  py::class_<Alphabet>(module, "Alphabet",
                       "The ordered labels of a network's output and the place of the blank.")
      .def(py::init(&make_alphabet), py::arg("labels"), py::arg("blank") = -1,
           "labels: without the blank, in output order. blank: its output index, -1 for the last.")
      .def_static("bytes", &Alphabet::bytes, py::arg("blank") = -1,
                  "The alphabet of the bytes 1 to 255 of UTF-8 text, for languages with very many letters.")
      .def_static("pieces", &make_pieces, py::arg("labels"), py::arg("blank") = -1,
                  py::arg("mark") = std::string(kBeginMark),
                  "Pieces of words: mark U+2581 begins a word (SentencePiece), \"##\" continues one "
                  "(WordPiece). Labels such as <unk> or [CLS] are never written.")
      .def_static("load", &load_alphabet, py::arg("path"), py::arg("blank") = -1,
                  "Reads an alphabet file (one label per line). Raises AlphabetError naming file and line.")
      .def(
          "save", [](const Alphabet& self, const py::object& path) { self.save(to_path(path)); },
          py::arg("path"), "Writes the alphabet file atomically.")
      .def_property_readonly("labels", &label_texts,
                             "The labels without the blank; bytes that are no text as lone surrogates.")
      .def_property_readonly("kind", &kind_name, "\"characters\", \"bytes\" or \"pieces\".")
      .def_property_readonly("size", &Alphabet::size, "Number of outputs: labels and blank.")
      .def_property_readonly("blank", &Alphabet::blank, "Output index of the blank.")
      .def_property_readonly("space", &Alphabet::space,
                             "Output index of the space label (U+2581 alone among pieces), -1 without one.")
      .def_property_readonly(
          "spelling", [](const Alphabet& self) { return self.spelling(); },
          "The alphabet of the letters that pieces write (the space, then by code point); else this one.")
      .def_property_readonly(
          "mark",
          [](const Alphabet& self) {
            if (self.kind() != LabelKind::kPieces) return std::string();
            return std::string(self.piece_mark() == PieceMark::kBegin ? kBeginMark : kContinueMark);
          },
          "How pieces mark words: U+2581 or \"##\"; empty for other kinds.")
      .def_property_readonly("unspaced", &Alphabet::is_unspaced,
                             "True if words stand without blanks, so that every label is one.")
      .def_property_readonly("hash", &Alphabet::hash, "SHA-256 (hex) of the alphabet file's canonical text.")
      .def(
          "encode", [](const Alphabet& self, const py::str& text) { return self.encode(nfc(text)); },
          py::arg("text"),
          "Output indices of a text. Raises AlphabetError naming the first character outside the alphabet.")
      .def("decode", &Alphabet::decode, py::arg("ids"),
           "The text of output indices; bytes that are no UTF-8 become U+FFFD. Raises AlphabetError for the "
           "blank and for indices out of range.")
      .def("__len__", &Alphabet::size)
      .def("__eq__",
           [](const Alphabet& self, const py::object& other) {
             if (!py::isinstance<Alphabet>(other)) return false;
             const auto& right = other.cast<const Alphabet&>();
             return self.hash() == right.hash() && self.blank() == right.blank();
           })
      .def("__hash__",
           [](const Alphabet& self) { return py::hash(py::make_tuple(self.hash(), self.blank())); })
      .def("__repr__", &describe)
      .def(py::pickle([](const Alphabet& self) { return py::make_tuple(self.canonical(), self.blank()); },
                      [](const py::tuple& state) {
                        return Alphabet::parse(state[0].cast<std::string>(), "alphabet",
                                               state[1].cast<int>());
                      }));
}

}  // namespace speechmill::bindings
