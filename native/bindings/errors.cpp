// Maps each C++ error class to the Python class of the same name in native/errors.py.
#include "native/error.h"

#include <pybind11/pybind11.h>

#include <exception>

#include "bindings.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

void raise(const char* name, const std::exception& error) {
  const py::object type = py::module_::import("native.errors").attr(name);
  // Messages hold file names and foreign text: what is not UTF-8 in them is shown, not fatal.
  const py::str text = py::reinterpret_steal<py::str>(PyUnicode_DecodeUTF8(
      error.what(), static_cast<py::ssize_t>(std::string(error.what()).size()), "backslashreplace"));
  PyErr_SetObject(type.ptr(), text.ptr());
}

void translate(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const AlphabetError& error) {
    raise("AlphabetError", error);
  } catch (const ScorerError& error) {
    raise("ScorerError", error);
  } catch (const DecodeError& error) {
    raise("DecodeError", error);
  } catch (const SphereChecksumError& error) {
    raise("SphereChecksumError", error);
  } catch (const SphereError& error) {
    raise("SphereError", error);
  }
}

}  // namespace

void register_errors() {
  py::register_local_exception_translator(&translate);
}

std::string nfc(const py::str& text) {
  const std::string plain = text;
  for (const char byte : plain) {
    if (static_cast<unsigned char>(byte) >= 0x80) {
      return py::module_::import("unicodedata").attr("normalize")("NFC", text).cast<std::string>();
    }
  }
  return plain;
}

std::string to_path(const py::object& path) {
  return py::module_::import("os").attr("fsencode")(path).cast<std::string>();
}

}  // namespace speechmill::bindings
