// The prefix tree of all words the decoder may write: one contiguous file, mapped and used in place.
//
// There are two kinds of nodes, both of 16 bytes, both in breadth-first order: the root is node 0, the
// children of a node lie side by side in label order and always come after their parent. Both end with the
// language model's index of the word that ends here (0: none) and the largest unigram ln P of any word below.
//   bitmap (up to 32 labels): first child and the set of labels that lead on (bit = label number, blank not
//     counted), so that child(node, label) = first_child + popcount(bitmap & (bit(label) - 1));
//   sorted (up to 65,535 labels, bytes of UTF-8 among them): first child, number of children, and the label
//     that leads to the node itself, so that a label is found among the children by bisection, in the very
//     memory that the search will read next.
//
// A lexicon of pronunciations spells words in what the network hears, not in letters: several words may end
// at one node, and one word at several nodes. There a node's `word` is the place, plus 1, of the first of its
// SpokenWords, which lie side by side, the most probable first.
//
// The words are those of the language model. Where its unit is the character, every word is one character,
// words follow each other without a space, and the space label itself stands for the word kSpaceWord.
//
// The file begins with a header that names everything the trie was built from (alphabet, vocabulary, language
// model, versions). Loading verifies magic, version, byte order, sizes, checksum, and bounds every index, so
// that walking needs no checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "scorer/alphabet.h"

namespace speechmill {

enum class NodeKind : std::uint32_t { kBitmap = 1, kSorted = 2 };
enum class LmUnit : std::uint32_t { kWords = 1, kCharacters = 2 };

constexpr std::uint32_t kBitmapLabels = 32;     // the most a node of kind kBitmap can tell apart
constexpr std::uint32_t kSortedLabels = 65535;  // and one of kind kSorted
constexpr std::uint32_t kNoNode = 0;            // the root is nobody's child
// How a space is written in the text of a character language model (U+2581).
constexpr std::string_view kSpaceWord = "\xE2\x96\x81";

// Number of bits set. Spelled out, because without a CPU flag the compiler would call a function for it.
constexpr std::uint32_t bit_count(std::uint32_t bits) {
  bits -= (bits >> 1) & 0x55555555U;
  bits = (bits & 0x33333333U) + ((bits >> 2) & 0x33333333U);
  return (((bits + (bits >> 4)) & 0x0F0F0F0FU) * 0x01010101U) >> 24;
}

// A node of kind kBitmap.
struct TrieNode {
  std::uint32_t first_child;
  std::uint32_t bitmap;
  std::uint32_t word;
  float look_ahead;  // natural logarithm, at most 0
};
// A node of kind kSorted.
struct SortedTrieNode {
  std::uint32_t first_child;
  std::uint16_t label;     // number of the label that leads here; 0 at the root
  std::uint16_t children;  // how many, from first_child on, their labels rising
  std::uint32_t word;
  float look_ahead;
};
static_assert(sizeof(TrieNode) == 16 && sizeof(SortedTrieNode) == 16, "trie nodes are 16 bytes on disk");
static_assert(offsetof(TrieNode, word) == offsetof(SortedTrieNode, word) &&
                  offsetof(TrieNode, look_ahead) == offsetof(SortedTrieNode, look_ahead),
              "what both kinds know stands at one place");

// A word that ends at a node of a lexicon of pronunciations.
struct SpokenWord {
  std::uint32_t word;   // of the language model
  std::uint32_t text;   // where its letters begin among those of all words
  std::uint16_t bytes;  // of its letters
  std::uint16_t more;   // 1: another word of the same node follows
};
static_assert(sizeof(SpokenWord) == 12, "spoken words are 12 bytes on disk");

// What a trie file says about itself.
struct TrieInfo {
  NodeKind node_kind = NodeKind::kBitmap;
  LabelKind label_kind = LabelKind::kCharacters;
  LmUnit unit = LmUnit::kWords;
  std::uint64_t nodes = 0;
  std::uint64_t words = 0;            // different ones
  std::uint64_t pronunciations = 0;   // 0: words are spelled in letters
  std::uint32_t most_alike = 1;       // the most words that end at one node
  std::uint64_t vocabulary_size = 0;  // of the language model; every node's word is below it
  std::uint32_t order = 0;            // of the language model
  std::uint32_t highest_order = 0;    // that the KenLM of the builder could read
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
  NodeKind kind() const { return info_.node_kind; }
  static constexpr std::uint32_t root() { return 0; }

  // What the nodes of both kinds know, without a branch.
  std::uint32_t word(std::uint32_t index) const { return nodes_[index].word; }
  float look_ahead(std::uint32_t index) const { return nodes_[index].look_ahead; }

  // A lexicon of pronunciations: `word` of a node is a place among its spoken words, plus 1.
  bool pronounced() const { return spoken_ != nullptr; }
  const SpokenWord& spoken(std::uint32_t place) const { return spoken_[place]; }
  std::string_view text(std::uint32_t place) const {
    return texts_.substr(spoken_[place].text, spoken_[place].bytes);
  }
  // Every word and the label numbers it is said in, once for each way, by rising length; none where words are
  // spelled in letters.
  std::vector<std::pair<std::string_view, std::vector<int>>> pronunciations() const;
  // True if a word of the language model has a pronunciation.
  bool speaks(std::uint32_t word) const { return word < spoken_words_.size() && spoken_words_[word]; }

  // Kind kBitmap only: a node, and the child a label number leads to. The label's bit must be set.
  const TrieNode& node(std::uint32_t index) const { return nodes_[index]; }
  static std::uint32_t child(const TrieNode& node, int label) {
    const std::uint32_t before = node.bitmap & ((1U << label) - 1U);
    return node.first_child + bit_count(before);
  }

  // Kind kSorted only: a node, and the child a label number leads to, kNoNode where there is none. The
  // children of `node` are sorted_node(node.first_child) … (node.first_child + node.children - 1).
  const SortedTrieNode& sorted_node(std::uint32_t index) const { return sorted_nodes_[index]; }
  std::uint32_t sorted_child(const SortedTrieNode& node, std::uint32_t label) const {
    std::uint32_t first = node.first_child;
    std::uint32_t count = node.children;
    while (count > 4) {  // bisection without a branch that could be guessed wrong
      const std::uint32_t half = count / 2;
      first += sorted_nodes_[first + half].label <= label ? half : 0;
      count -= half;
    }
    for (; count > 0; --count, ++first) {
      if (sorted_nodes_[first].label == label) return first;
    }
    return kNoNode;
  }

  // Either kind: the child a label number leads to, or kNoNode. `label` is below the number of labels.
  std::uint32_t step(std::uint32_t index, int label) const {
    if (kind() == NodeKind::kSorted)
      return sorted_child(sorted_node(index), static_cast<std::uint32_t>(label));
    return ((node(index).bitmap >> label) & 1U) == 0 ? kNoNode : child(node(index), label);
  }
  // Either kind: calls visit(label, child) for every child, in label order.
  template <class Visit>
  void each_child(std::uint32_t index, const Visit& visit) const {
    if (kind() == NodeKind::kSorted) {
      const SortedTrieNode& above = sorted_node(index);
      for (std::uint32_t i = 0; i < above.children; ++i) {
        visit(static_cast<int>(sorted_node(above.first_child + i).label), above.first_child + i);
      }
      return;
    }
    std::uint32_t child = node(index).first_child;
    for (std::uint32_t rest = node(index).bitmap; rest != 0; rest &= rest - 1) {
      visit(static_cast<int>(bit_count((rest & (~rest + 1)) - 1)), child++);
    }
  }
  // `word` of the node that these label numbers lead to; 0 where no word ends.
  std::uint32_t find(const std::vector<int>& labels) const;

private:
  explicit LexiconTrie(MappedFile file) : file_(std::move(file)) {}
  void parse(const std::uint8_t* data, std::size_t size, const std::string& name);
  void parse_spoken(const std::uint8_t* data, const std::string& name);

  MappedFile file_;
  TrieInfo info_;
  const TrieNode* nodes_ = nullptr;
  const SortedTrieNode* sorted_nodes_ = nullptr;  // the same memory, read as the other kind
  std::uint32_t labels_ = 0;
  const SpokenWord* spoken_ = nullptr;
  std::string_view texts_;
  std::vector<bool> spoken_words_;  // by the language model's index
};

// What goes into a trie besides the words.
struct TrieBuild {
  const Alphabet* alphabet = nullptr;  // not owned; of an alphabet of pieces its spelling is taken
  std::string lm_binary_path;
  std::map<std::string, std::string> identity;  // kept as it is; keys and values without tab and line feed
  LmUnit unit = LmUnit::kWords;
  std::optional<NodeKind> node_kind = std::nullopt;  // none: kBitmap where the alphabet allows it
  // The pronunciation of each of the words as labels; a word with several stands several times among the
  // words. Not owned; null: words are spelled in letters.
  const std::vector<std::vector<std::string>>* pronunciations = nullptr;
};

// Builds the trie of `words` and writes it atomically to `out_path`; the same input gives the same bytes.
// Words are left out, and counted by reason, when they are empty, appear twice (with one pronunciation), hold
// a space, hold a character outside the alphabet (a label that it lacks, no label), are unknown to the
// language model, or (unit: character) are longer than one. Throws ScorerError; a lexicon without any word is
// an error.
TrieInfo build_lexicon_trie(const std::vector<std::string>& words, const TrieBuild& build,
                            const std::string& out_path);

}  // namespace speechmill
