// The extension module `_core`: registration only.
#include <pybind11/pybind11.h>

#include "bindings.h"

namespace py = pybind11;

PYBIND11_MODULE(_core, module) {
  using namespace speechmill::bindings;
  module.doc() =
      "C++ core of speechmill: alphabet, lexicon trie, language model, CTC search, SPHERE and FLAC, features "
      "and "
      "figures of sound, text.";
  register_errors(module);
  register_alignment(module);
  register_alphabet(module);
  register_scorer(module);
  register_decoder(module);
  register_corrector(module);
  register_fusion(module);
  register_flac_encoder(module);
  register_features(module);
  register_sound(module);
  register_sphere(module);
  register_text(module);
  register_flac_decoder(module);
}
