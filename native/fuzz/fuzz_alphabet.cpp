// Any bytes as an alphabet file: an alphabet that reads its own file back and spells its own labels, or an
// AlphabetError. What pieces spell, their spelling spells too.
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "scorer/alphabet.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace speechmill;
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const Alphabet alphabet = Alphabet::parse(text, "fuzz", size % 7 == 0 ? 0 : -1);
    const Alphabet again = Alphabet::parse(alphabet.canonical(), "fuzz", alphabet.blank());
    if (again.labels() != alphabet.labels() || again.hash() != alphabet.hash()) std::abort();
    std::vector<int> ids;
    if (alphabet.kind() == LabelKind::kPieces && alphabet.try_encode(text, &ids)) {
      const std::string spelled = alphabet.decode(ids);
      std::vector<int> letters;
      if (!alphabet.spelling().try_encode(spelled, &letters)) std::abort();
      if (!alphabet.try_encode(spelled, &ids) || alphabet.decode(ids) != spelled) std::abort();
    }
    if (alphabet.try_encode(text, &ids) && alphabet.kind() == LabelKind::kCharacters &&
        alphabet.decode(ids) != text) {
      std::abort();
    }
  } catch (const AlphabetError&) {
  }
  return 0;
}
