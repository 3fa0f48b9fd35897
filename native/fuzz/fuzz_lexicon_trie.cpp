// Any bytes as a lexicon trie: refused, or a tree that can be walked from end to end. The checksum is mended
// first (of every second input), so that the checks behind it are reached.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "scorer/lexicon_trie.h"
#include "scorer/trie_format.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace speechmill;
  std::vector<std::uint64_t> room(size / 8 + 1);
  auto* bytes = reinterpret_cast<std::uint8_t*>(room.data());
  if (size > 0) std::memcpy(bytes, data, size);
  if (size >= sizeof(TrieHeader) && (data[size - 1] & 1) == 0) {
    TrieHeader header;
    std::memcpy(&header, bytes, sizeof header);
    header.file_bytes = size;
    header.checksum = trie_checksum(header, bytes, size);
    std::memcpy(bytes, &header, sizeof header);
  }
  try {
    const LexiconTrie trie = LexiconTrie::from_memory(bytes, size, "fuzz");
    std::uint64_t words = 0;
    const Alphabet alphabet = Alphabet::parse(trie.info().alphabet_text, "fuzz");
    const int labels = static_cast<int>(alphabet.labels().size());
    for (std::uint32_t i = 0; i < trie.info().nodes; ++i) {
      words += trie.word(i) != 0 ? 1 : 0;
      for (std::uint32_t place = trie.word(i); trie.pronounced() && place != 0;) {
        if (trie.text(place - 1).empty() || !trie.speaks(trie.spoken(place - 1).word)) std::abort();
        place = trie.spoken(place - 1).more != 0 ? place + 1 : 0;
      }
      std::uint32_t last = i;
      for (int label = 0; label < labels; ++label) {
        const std::uint32_t child = trie.step(i, label);
        if (child == kNoNode) continue;
        if (child <= last || child >= trie.info().nodes) std::abort();
        last = child;
      }
    }
    if (!trie.pronounced() && words != trie.info().words) std::abort();
  } catch (const ScorerError&) {
  }
  return 0;
}
