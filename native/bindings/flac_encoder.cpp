#include "native/flac_encoder.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "bindings.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

py::bytes encode(const py::array& samples, std::int64_t sample_rate_hz, bool portable) {
  if (!py::isinstance<py::array_t<std::int16_t>>(samples) || samples.ndim() != 1) {
    throw py::type_error("samples must be int16 [samples] in one row, not " +
                         py::str(samples.dtype()).cast<std::string>() + " with " +
                         std::to_string(samples.ndim()) + " axes");
  }
  if ((samples.flags() & py::array::c_style) == 0) {
    throw py::value_error("samples do not lie side by side in memory; give numpy.ascontiguousarray of them");
  }
  const auto* data = static_cast<const std::int16_t*>(samples.data());
  const auto count = static_cast<std::size_t>(samples.size());
  std::vector<std::uint8_t> file;
  {
    const py::gil_scoped_release unlocked;
    file = encode_flac(data, count, sample_rate_hz, portable);
  }
  return {reinterpret_cast<const char*>(file.data()), file.size()};
}

}  // namespace

void register_flac_encoder(py::module_& module) {
  module.attr("FLAC_ENCODER_VERSION") = kFlacEncoderVersion;
  module.attr("FLAC_BLOCK") = kFlacBlock;
  module.def("flac_encode", &encode, py::arg("samples"), py::arg("sample_rate_hz"),
             py::arg("portable") = false, "A whole FLAC file of mono samples; see native.flac.encode.");
}

}  // namespace speechmill::bindings
