#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <vector>

#include "bindings.h"
#include "hashes/sha256.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

// The bytes of an object, kept in place until this ends.
class HeldBytes {
public:
  explicit HeldBytes(const py::handle& object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_SIMPLE) != 0) throw py::error_already_set();
  }
  ~HeldBytes() { PyBuffer_Release(&view_); }
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;

  Sha256Message message() const { return {view_.buf, static_cast<std::size_t>(view_.len)}; }

private:
  Py_buffer view_{};
};

std::vector<std::string> hashes_of(const py::sequence& objects) {
  std::vector<std::unique_ptr<HeldBytes>> held;
  std::vector<Sha256Message> messages;
  for (const py::handle object : objects) {
    held.push_back(std::make_unique<HeldBytes>(object));
    messages.push_back(held.back()->message());
  }
  const py::gil_scoped_release unlocked;
  return sha256_many(messages);
}

}  // namespace

void register_hashes(py::module_& module) {
  module.def("sha256_many", &hashes_of, py::arg("messages"),
             "SHA-256 of several messages; see native.hashes.sha256_many.");
}

}  // namespace speechmill::bindings
