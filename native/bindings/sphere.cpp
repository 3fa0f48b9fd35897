#include "sphere/sphere.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>

#include "base/error.h"
#include "bindings.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

// A path or an object holding the file's bytes, opened for the time of one call.
struct Opened {
  std::unique_ptr<ByteSource> source;
  std::string name;
  py::buffer_info bytes;  // keeps the buffer alive
};

Opened open_source(const py::object& file) {
  Opened opened;
  if (py::isinstance<py::buffer>(file)) {
    opened.bytes = py::reinterpret_borrow<py::buffer>(file).request();
    if (opened.bytes.ndim != 1 || opened.bytes.itemsize != 1 || opened.bytes.strides[0] != 1) {
      throw py::type_error("SPHERE bytes must be one contiguous row of bytes");
    }
    opened.name = "<bytes>";
    opened.source =
        std::make_unique<MemorySource>(opened.bytes.ptr, static_cast<std::size_t>(opened.bytes.size));
    return opened;
  }
  opened.name = to_path(file);
  try {
    opened.source = std::make_unique<FileSource>(opened.name);
  } catch (const std::runtime_error& error) {
    throw SphereError(std::string("SPHERE file ") + error.what());
  }
  return opened;
}

const char* coding_name(SphereCoding coding) {
  return coding == SphereCoding::pcm ? "pcm" : coding == SphereCoding::ulaw ? "ulaw" : "alaw";
}

py::dict info_of(const py::object& file) {
  const Opened opened = open_source(file);
  const SphereInfo info = read_sphere_info(*opened.source, opened.name);
  py::dict answer;
  answer["sample_rate_hz"] = info.sample_rate_hz;
  answer["channels"] = info.channels;
  answer["num_samples"] = info.num_samples;
  answer["num_samples_declared"] = info.declared_samples;
  answer["duration_s"] = static_cast<double>(info.num_samples) / info.sample_rate_hz;
  answer["coding"] = coding_name(info.coding);
  answer["compression"] = info.shorten ? "shorten" : "none";
  answer["sample_bytes"] = info.sample_bytes;
  answer["byte_order"] = info.sample_bytes == 1 ? "none" : info.big_endian ? "big" : "little";
  answer["checksum"] = info.checksum;
  answer["header_bytes"] = info.header_bytes;
  answer["truncated"] = info.truncated;
  answer["flags"] = info.flags;
  py::dict fields;
  for (const auto& [key, value] : info.fields) {
    fields[py::str(key)] = py::reinterpret_steal<py::str>(
        PyUnicode_DecodeLatin1(value.data(), static_cast<py::ssize_t>(value.size()), nullptr));
  }
  answer["fields"] = fields;
  return answer;
}

py::array_t<std::int16_t> read_samples(const py::object& file, std::int64_t start,
                                       std::optional<std::int64_t> stop, bool verify) {
  if (start < 0 || (stop && *stop < start))
    throw py::value_error("start and stop must be 0 <= start <= stop");
  const Opened opened = open_source(file);
  auto audio = std::make_unique<SphereAudio>();
  {
    const py::gil_scoped_release unlocked;
    const SphereInfo info = read_sphere_info(*opened.source, opened.name);
    *audio = read_sphere(*opened.source, info, {start, stop.value_or(-1), verify});
  }
  SphereAudio* held = audio.get();
  const py::capsule owner(audio.release(), [](void* pointer) { delete static_cast<SphereAudio*>(pointer); });
  const auto channels = static_cast<py::ssize_t>(held->channels);
  const auto frames = static_cast<py::ssize_t>(held->samples.size()) / channels;
  return py::array_t<std::int16_t>({frames, channels}, held->samples.data(), owner);
}

}  // namespace

void register_sphere(py::module_& module) {
  module.def("sphere_info", &info_of, py::arg("file"),
             "The header of a SPHERE file; see native.sphere.info.");
  module.def("sphere_read", &read_samples, py::arg("file"), py::arg("start") = 0,
             py::arg("stop") = py::none(), py::arg("verify") = true,
             "Samples of a SPHERE file; see native.sphere.read.");
}

}  // namespace speechmill::bindings
