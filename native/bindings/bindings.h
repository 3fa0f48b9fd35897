// What the binding files share: each registers one part of the library in the extension module `_core`.
// Bindings check shapes and types, release the GIL and translate errors; they compute nothing.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "base/error.h"
#include "scorer/language_model.h"

namespace speechmill::bindings {

void register_errors(const pybind11::module_& module);
void register_alignment(pybind11::module_& module);
void register_alphabet(pybind11::module_& module);
void register_corrector(pybind11::module_& module);
void register_decoder(pybind11::module_& module);
void register_flac_decoder(pybind11::module_& module);
void register_flac_encoder(pybind11::module_& module);
void register_fusion(pybind11::module_& module);
void register_scorer(pybind11::module_& module);
void register_features(pybind11::module_& module);
void register_sound(pybind11::module_& module);
void register_sphere(pybind11::module_& module);
void register_text(pybind11::module_& module);

// The text of a str brought to Unicode's NFC, as UTF-8.
std::string nfc(const pybind11::str& text);

// A language model's state as Python carries it, opaque. Throws ScorerError for other bytes.
LmState state_of(const pybind11::bytes& bytes);
pybind11::bytes bytes_of(const LmState& state);

// The Python exception of a FLAC error, with its kind.
pybind11::object flac_error(const FlacError& error);

// The file system path of a str or os.PathLike.
std::string to_path(const pybind11::object& path);

}  // namespace speechmill::bindings
