// The prefix tree of all words the decoder may write: one contiguous file, mapped and used in place.
//
// A node is 16 bytes: the index of its first child, a bitmap of the labels that lead on (bit = label number
// of the alphabet, blank not counted), the language model's index of the word that ends here (0: none), and
// the largest unigram ln P of any word below. Children of a node lie side by side in label order, so
//     child(node, label) = first_child + popcount(bitmap & (bit(label) - 1)).
// Nodes are in breadth-first order: the root is node 0, children always come after their parent.
//
// The file begins with a header that names everything the trie was built from (alphabet, vocabulary, language
// model, versions). Loading verifies magic, version, byte order, sizes, checksum, and bounds every index, so
// that walking needs no checks. Alphabets of up to 28 labels; larger ones are refused by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "native/alphabet.h"
#include "native/file.h"

namespace speechmill {

constexpr std::uint32_t kTrieMaxLabels = 28;

// Number of bits set. Spelled out, because without a CPU flag the compiler would call a function for it.
constexpr std::uint32_t bit_count(std::uint32_t bits) {
  bits -= (bits >> 1) & 0x55555555U;
  bits = (bits & 0x33333333U) + ((bits >> 2) & 0x33333333U);
  return (((bits + (bits >> 4)) & 0x0F0F0F0FU) * 0x01010101U) >> 24;
}

struct TrieNode {
  std::uint32_t first_child;
  std::uint32_t bitmap;
  std::uint32_t word;
  float look_ahead;  // natural logarithm, at most 0
};
static_assert(sizeof(TrieNode) == 16, "trie nodes are 16 bytes on disk");

// What a trie file says about itself.
struct TrieInfo {
  std::uint64_t nodes = 0;
  std::uint64_t words = 0;
  std::uint64_t vocabulary_size = 0;  // of the language model; every node's word is below it
  std::uint32_t order = 0;            // of the language model
  std::int32_t blank = 0;             // output index of the blank when the trie was built
  std::string alphabet_text;          // the alphabet file
  std::string alphabet_hash;          // SHA-256, hex, as are the next two
  std::string vocabulary_hash;        // of the trie's words: sorted by bytes, each followed by a line feed
  std::string lm_hash;                // of the language model's binary file
  std::map<std::string, std::string> identity;   // versions: normaliser_version, kenlm_version, …
  std::map<std::string, std::uint64_t> skipped;  // words left out, by reason
};

class LexiconTrie {
public:
  // Maps and verifies a trie file. Throws ScorerError with file and cause.
  static LexiconTrie load(const std::string& path);
  // Verifies a trie that lies in memory owned by somebody else (8-byte aligned); `name` stands for it in
  // errors.
  static LexiconTrie from_memory(const std::uint8_t* data, std::size_t size, const std::string& name);

  const TrieInfo& info() const { return info_; }
  const TrieNode& node(std::uint32_t index) const { return nodes_[index]; }
  static constexpr std::uint32_t root() { return 0; }

  // The child a label number leads to. The label's bit must be set in the node's bitmap.
  static std::uint32_t child(const TrieNode& node, int label) {
    const std::uint32_t before = node.bitmap & ((1U << label) - 1U);
    return node.first_child + bit_count(before);
  }
  // The language model's index of a word given as label numbers; 0 if it is not in the lexicon.
  std::uint32_t find(const std::vector<int>& labels) const;

private:
  explicit LexiconTrie(MappedFile file) : file_(std::move(file)) {}
  void parse(const std::uint8_t* data, std::size_t size, const std::string& name);

  MappedFile file_;
  TrieInfo info_;
  const TrieNode* nodes_ = nullptr;
};

// What goes into a trie besides the words.
struct TrieBuild {
  const Alphabet* alphabet = nullptr;  // not owned
  std::string lm_binary_path;
  std::map<std::string, std::string> identity;  // kept as it is; keys and values without tab and line feed
};

// Builds the trie of `words` and writes it atomically to `out_path`; the same input gives the same bytes.
// Words are left out, and counted by reason, when they are empty, appear twice, hold a space, hold a
// character outside the alphabet, or are unknown to the language model. Throws ScorerError; a lexicon without
// any word is an error.
TrieInfo build_lexicon_trie(const std::vector<std::string>& words, const TrieBuild& build,
                            const std::string& out_path);

}  // namespace speechmill
