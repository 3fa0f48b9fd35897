#include "sound/features.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>

#include "bindings.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

using Cepstra = py::array_t<float>;

// One utterance's samples where they lie, and where its frames go.
struct Task {
  const std::int16_t* integers;
  const float* floats;
  std::size_t count;
  float* cepstra;
};

Task task_of(const py::array& samples) {
  const bool integers = py::isinstance<py::array_t<std::int16_t, py::array::c_style>>(samples);
  if (!integers && !py::isinstance<py::array_t<float, py::array::c_style>>(samples)) {
    throw py::type_error("samples must be int16 or float32 without gaps, not " +
                         py::str(samples.dtype()).cast<std::string>() + " or a strided view");
  }
  if (samples.ndim() != 1) {
    throw py::value_error("mono samples have one dimension, not " + std::to_string(samples.ndim()));
  }
  return {integers ? static_cast<const std::int16_t*>(samples.data()) : nullptr,
          integers ? nullptr : static_cast<const float*>(samples.data()),
          static_cast<std::size_t>(samples.size()), nullptr};
}

py::list cepstra_of(const FrontEnd& front_end, const std::vector<py::array>& sounds) {
  std::vector<Task> tasks;
  py::list answers;
  for (const py::array& samples : sounds) {
    tasks.push_back(task_of(samples));
    Cepstra cepstra({front_end.frames(tasks.back().count), front_end.options().coefficients});
    tasks.back().cepstra = cepstra.mutable_data();
    answers.append(std::move(cepstra));
  }
  const py::gil_scoped_release unlocked;
  for (const Task& task : tasks) {
    if (task.integers != nullptr) {
      front_end.compute(task.integers, task.count, task.cepstra);
    } else {
      front_end.compute(task.floats, task.count, task.cepstra);
    }
  }
  return answers;
}

Cepstra feed(FrontEndStream* stream, const FrontEnd& front_end, const py::array& samples) {
  const Task task = task_of(samples);
  if (task.floats == nullptr && task.count > 0) throw py::type_error("a stream takes float32 samples");
  std::vector<float> found;
  {
    const py::gil_scoped_release unlocked;
    found = stream->feed(task.floats, task.count);
  }
  const std::size_t width = front_end.options().coefficients;
  Cepstra cepstra({found.size() / width, width});
  std::copy(found.begin(), found.end(), cepstra.mutable_data());
  return cepstra;
}

// A stream holds on to its front end.
struct OwnedStream {
  std::shared_ptr<FrontEnd> front_end;
  FrontEndStream stream;
};

}  // namespace

void register_features(py::module_& module) {
  py::class_<FrontEnd, std::shared_ptr<FrontEnd>>(module, "FrontEnd",
                                                  "The front end in C++; see native.features.")
      .def(py::init([](int sample_rate_hz, std::size_t window, std::size_t hop, std::size_t filters,
                       double low_hz, std::size_t coefficients, bool portable) {
             return std::make_shared<FrontEnd>(FrontEndOptions{sample_rate_hz, window, hop, filters, low_hz,
                                                               coefficients,
                                                               portable ? Lanes::portable : Lanes::fastest});
           }),
           py::kw_only(), py::arg("sample_rate_hz"), py::arg("window"), py::arg("hop"), py::arg("filters"),
           py::arg("low_hz"), py::arg("coefficients"), py::arg("portable") = false)
      .def("frames", &FrontEnd::frames, py::arg("samples"), "Whole windows in so many samples.")
      .def("cepstra", &cepstra_of, py::arg("sounds"), "[frames, coefficients] of each sound.");
  py::class_<OwnedStream>(module, "FrontEndStream", "A front end that is fed piece by piece.")
      .def(py::init([](std::shared_ptr<FrontEnd> front_end) {
             return std::make_unique<OwnedStream>(OwnedStream{front_end, FrontEndStream(*front_end)});
           }),
           py::arg("front_end"))
      .def(
          "feed",
          [](OwnedStream& self, const py::array& samples) {
            return feed(&self.stream, *self.front_end, samples);
          },
          py::arg("samples"), "[frames, coefficients] of the frames that these samples complete.");
}

}  // namespace speechmill::bindings
