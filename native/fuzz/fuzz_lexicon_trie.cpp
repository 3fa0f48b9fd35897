// Any bytes as a lexicon trie: refused, or a tree that can be walked from end to end. The checksum is mended
// first (of every second input), so that the checks behind it are reached.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "native/error.h"
#include "native/lexicon_trie.h"
#include "native/trie_format.h"

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
    for (std::uint32_t i = 0; i < trie.info().nodes; ++i) {
      const TrieNode& node = trie.node(i);
      words += node.word != 0 ? 1 : 0;
      for (int label = 0; label < static_cast<int>(kTrieMaxLabels); ++label) {
        if (((node.bitmap >> label) & 1U) == 0) continue;
        const std::uint32_t child = LexiconTrie::child(node, label);
        if (child <= i || child >= trie.info().nodes) std::abort();
      }
    }
    if (words != trie.info().words) std::abort();
  } catch (const ScorerError&) {
  }
  return 0;
}
