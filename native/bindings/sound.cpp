#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "bindings.h"
#include "sound/figures.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

using Samples = py::array_t<std::int16_t, py::array::c_style>;

const std::int16_t* checked(const py::array& samples, int dimensions) {
  if (!py::isinstance<Samples>(samples)) {
    throw py::type_error("samples must be int16 without gaps, not " +
                         py::str(samples.dtype()).cast<std::string>() + " or a strided view");
  }
  if (samples.ndim() != dimensions) {
    throw py::value_error("samples of " + std::to_string(samples.ndim()) + " dimensions, " +
                          std::to_string(dimensions) + " expected");
  }
  return static_cast<const std::int16_t*>(samples.data());
}

py::tuple figures_of(const py::array& samples, int sample_rate_hz, bool portable) {
  const std::int16_t* first = checked(samples, 1);
  const auto count = static_cast<std::size_t>(samples.size());
  SoundFigures figures;
  {
    const py::gil_scoped_release unlocked;
    figures = sound_figures(first, count, sample_rate_hz, portable ? Lanes::portable : Lanes::fastest);
  }
  return py::make_tuple(figures.snr_db, figures.peak_dbfs, figures.silence_ratio, figures.clipped_ratio,
                        figures.bandwidth_hz, figures.dc_offset, figures.fingerprint);
}

py::tuple energies_of(const py::array& pairs) {
  const std::int16_t* first = checked(pairs, 2);
  if (pairs.shape(1) != 2) {
    throw py::value_error(std::to_string(pairs.shape(1)) + " channels, 2 expected");
  }
  ChannelEnergies energies{};
  {
    const py::gil_scoped_release unlocked;
    energies = channel_energies(first, static_cast<std::size_t>(pairs.shape(0)));
  }
  return py::make_tuple(energies.first, energies.second);
}

}  // namespace

void register_sound(py::module_& module) {
  module.def("sound_figures", &figures_of, py::arg("samples"), py::arg("sample_rate_hz"),
             py::arg("portable") = false, "Figures of mono samples; see native.sound.figures.");
  module.def("channel_energies", &energies_of, py::arg("pairs"),
             "Sums of squares of two channels; see native.sound.channel_energies.");
}

}  // namespace speechmill::bindings
