#include "flac/encoder.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

FlacInput input_of(const py::array& samples, std::int64_t sample_rate_hz) {
  if (!py::isinstance<py::array_t<std::int16_t>>(samples) || samples.ndim() != 1) {
    throw py::type_error("samples must be int16 [samples] in one row, not " +
                         py::str(samples.dtype()).cast<std::string>() + " with " +
                         std::to_string(samples.ndim()) + " axes");
  }
  if ((samples.flags() & py::array::c_style) == 0) {
    throw py::value_error("samples do not lie side by side in memory; give numpy.ascontiguousarray of them");
  }
  return {static_cast<const std::int16_t*>(samples.data()), static_cast<std::size_t>(samples.size()),
          sample_rate_hz};
}

py::bytes bytes_of(const std::vector<std::uint8_t>& file) {
  return {reinterpret_cast<const char*>(file.data()), file.size()};
}

py::bytes encode(const py::array& samples, std::int64_t sample_rate_hz, bool portable) {
  const FlacInput input = input_of(samples, sample_rate_hz);
  std::vector<std::uint8_t> file;
  {
    const py::gil_scoped_release unlocked;
    file = encode_flac(input.samples, input.count, input.sample_rate_hz, portable);
  }
  return bytes_of(file);
}

std::vector<py::bytes> encode_many(const std::vector<std::pair<py::array, std::int64_t>>& sounds) {
  std::vector<FlacInput> inputs;
  for (const auto& [samples, sample_rate_hz] : sounds) inputs.push_back(input_of(samples, sample_rate_hz));
  std::vector<std::vector<std::uint8_t>> files;
  {
    const py::gil_scoped_release unlocked;
    files = encode_flac_many(inputs);
  }
  std::vector<py::bytes> answer;
  for (const std::vector<std::uint8_t>& file : files) answer.push_back(bytes_of(file));
  return answer;
}

}  // namespace

void register_flac_encoder(py::module_& module) {
  module.attr("FLAC_ENCODER_VERSION") = kFlacEncoderVersion;
  module.attr("FLAC_BLOCK") = kFlacBlock;
  module.def("flac_encode", &encode, py::arg("samples"), py::arg("sample_rate_hz"),
             py::arg("portable") = false, "A whole FLAC file of mono samples; see native.flac.encode.");
  module.def("flac_encode_many", &encode_many, py::arg("sounds"),
             "A FLAC file for each (samples, rate); see native.flac.encode_many.");
}

}  // namespace speechmill::bindings
