#include "flac/decoder.h"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <utility>

#include "bindings.h"

namespace py = pybind11;

namespace speechmill::bindings {
namespace {

py::buffer_info bytes_of(const py::buffer& data) {
  py::buffer_info bytes = data.request();
  if (bytes.ndim != 1 || bytes.itemsize != 1 || bytes.strides[0] != 1) {
    throw py::type_error("FLAC bytes must be one contiguous row of bytes");
  }
  return bytes;
}

FlacBytes view(const py::buffer_info& bytes) {
  return {static_cast<const std::uint8_t*>(bytes.ptr), static_cast<std::size_t>(bytes.size)};
}

// An array [frames, channels] over samples, which it owns from then on.
py::array array_of(const FlacInfo& info, std::unique_ptr<void, FreeMemory> samples, std::uint64_t frames) {
  const py::dtype type =
      info.sample_bytes() == 2 ? py::dtype::of<std::int16_t>() : py::dtype::of<std::int32_t>();
  void* const memory = samples.get();
  const py::capsule owner(samples.release(), [](void* pointer) { FreeMemory()(pointer); });
  return py::array(type, {static_cast<py::ssize_t>(frames), static_cast<py::ssize_t>(info.channels)}, memory,
                   owner);
}

// (samples, sample_rate_hz, bits, whether an MD5 was stated, bytes up to the end of the last block)
py::tuple sound_of(FlacSound sound) {
  const FlacInfo& info = sound.info;
  return py::make_tuple(array_of(info, std::move(sound.samples), sound.frames), info.sample_rate_hz,
                        info.bits, info.has_md5(), sound.bytes);
}

py::tuple decode(const py::buffer& data, std::uint64_t most_bytes) {
  const py::buffer_info bytes = bytes_of(data);
  FlacSound sound;
  {
    const py::gil_scoped_release unlocked;
    sound = decode_flac(view(bytes), most_bytes);
  }
  return sound_of(std::move(sound));
}

py::list decode_many(const std::vector<py::buffer>& files, std::uint64_t most_bytes) {
  std::vector<py::buffer_info> held;
  std::vector<FlacBytes> views;
  for (const py::buffer& file : files) held.push_back(bytes_of(file));
  for (const py::buffer_info& bytes : held) views.push_back(view(bytes));
  std::vector<FlacOutcome> outcomes;
  {
    const py::gil_scoped_release unlocked;
    outcomes = decode_flac_many(views, most_bytes);
  }
  py::list answers;
  for (FlacOutcome& outcome : outcomes) {
    if (outcome.error) {
      answers.append(flac_error(*outcome.error));
    } else {
      answers.append(sound_of(std::move(outcome.sound)));
    }
  }
  return answers;
}

// A file that is decoded piece by piece; its bytes stay in use as long as this lives.
class Pieces {
public:
  explicit Pieces(const py::buffer& data)
      : bytes_(bytes_of(data)), decoder_(view(bytes_).data, view(bytes_).size) {}

  const FlacInfo& info() const { return decoder_.info(); }

  // Blocks of at least `frames` samples per channel together; fewer only at the end, none behind it.
  py::array read(std::size_t frames) {
    const std::size_t width = info().sample_bytes() * static_cast<std::size_t>(info().channels);
    std::vector<std::uint8_t> piece;
    {
      const py::gil_scoped_release unlocked;
      while (piece.size() < frames * width) {
        const std::size_t count = decoder_.gather();
        if (count == 0) break;
        const std::size_t used = piece.size();
        piece.resize(used + count * width);
        decoder_.deliver(piece.data() + used);
      }
    }
    const py::dtype type =
        info().sample_bytes() == 2 ? py::dtype::of<std::int16_t>() : py::dtype::of<std::int32_t>();
    return py::array(
        type, {static_cast<py::ssize_t>(piece.size() / width), static_cast<py::ssize_t>(info().channels)},
        piece.data());
  }

private:
  py::buffer_info bytes_;
  FlacDecoder decoder_;
};

}  // namespace

void register_flac_decoder(py::module_& module) {
  module.def("flac_decode", &decode, py::arg("data"), py::arg("most_bytes"),
             "A whole FLAC file; see native.flac.decode.");
  module.def("flac_decode_many", &decode_many, py::arg("files"), py::arg("most_bytes"),
             "Several FLAC files; see native.flac.decode_many.");
  py::class_<Pieces>(module, "FlacPieces", "A FLAC file in pieces; see native.flac.pieces.")
      .def(py::init<const py::buffer&>(), py::arg("data"))
      .def("read", &Pieces::read, py::arg("frames"))
      .def_property_readonly("sample_rate_hz", [](const Pieces& self) { return self.info().sample_rate_hz; })
      .def_property_readonly("channels", [](const Pieces& self) { return self.info().channels; })
      .def_property_readonly("bits", [](const Pieces& self) { return self.info().bits; })
      .def_property_readonly("has_md5", [](const Pieces& self) { return self.info().has_md5(); });
}

}  // namespace speechmill::bindings
