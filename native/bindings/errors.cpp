// Maps each C++ error class to the Python class of the same name in errors.py, which lies beside the
// extension whatever their package is called (`native` in the source tree, `speechmill` in the wheel).
#include "base/error.h"

#include <pybind11/pybind11.h>

#include <exception>

#include "bindings.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

// Messages hold file names and foreign text: what is not UTF-8 in them is shown, not fatal.
py::str message_of(const std::exception& error) {
  return py::reinterpret_steal<py::str>(PyUnicode_DecodeUTF8(
      error.what(), static_cast<py::ssize_t>(std::string(error.what()).size()), "backslashreplace"));
}

std::string& errors_module() {
  static std::string name;
  return name;
}

void raise(const char* name, const std::exception& error) {
  const py::object type = py::module_::import(errors_module().c_str()).attr(name);
  PyErr_SetObject(type.ptr(), message_of(error).ptr());
}

const char* kind_of(FlacFault fault) {
  switch (fault) {
    case FlacFault::truncated:
      return "truncated";
    case FlacFault::md5:
      return "md5";
    case FlacFault::unsupported:
      return "unsupported";
    case FlacFault::too_big:
      return "too_big";
    default:
      return "corrupt";
  }
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
  } catch (const FlacError& error) {
    const py::object made = flac_error(error);
    PyErr_SetObject(py::type::of(made).ptr(), made.ptr());
  }
}

}  // namespace

void register_errors(const py::module_& module) {
  const std::string own = module.attr("__name__").cast<std::string>();
  const std::size_t dot = own.rfind('.');
  errors_module() = (dot == std::string::npos ? std::string() : own.substr(0, dot + 1)) + "errors";
  py::register_local_exception_translator(&translate);
}

py::object flac_error(const FlacError& error) {
  return py::module_::import(errors_module().c_str())
      .attr("FlacError")(message_of(error), kind_of(error.fault));
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
