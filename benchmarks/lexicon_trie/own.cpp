// Our lexicon trie: build it, map it, walk it.  own WORDS LM_BINARY ALPHABET KIND TRIE ROUNDS → one line of JSON
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "clock.h"
#include "scorer/lexicon_trie.h"

namespace {

using speechmill::LexiconTrie;

// Every step as the search makes it: the child, then what the node says.
template <bool sorted>
std::uint32_t walk(const LexiconTrie& trie, const std::vector<std::vector<int>>& words) {
  std::uint32_t sum = 0;
  for (const std::vector<int>& word : words) {
    std::uint32_t at = LexiconTrie::root();
    for (const int label : word) {
      if constexpr (sorted) {
        at = trie.sorted_child(trie.sorted_node(at), static_cast<std::uint32_t>(label));
      } else {
        const speechmill::TrieNode& node = trie.node(at);
        at = ((node.bitmap >> label) & 1U) == 0 ? speechmill::kNoNode : LexiconTrie::child(node, label);
      }
      if (at == speechmill::kNoNode) break;
    }
    sum += trie.word(at) != 0 ? 1 : 0;
  }
  return sum;
}

int run(char** arguments) {
  const std::vector<std::string> words = read_words(arguments[1]);
  const auto alphabet = speechmill::Alphabet::load(arguments[3]);
  const bool sorted = std::string(arguments[4]) == "sorted";
  speechmill::TrieBuild build{&alphabet, arguments[2], {}};
  build.node_kind = sorted ? speechmill::NodeKind::kSorted : speechmill::NodeKind::kBitmap;
  const double began = cpu_s();
  const speechmill::TrieInfo info = build_lexicon_trie(words, build, arguments[5]);
  const double built = cpu_s();
  const LexiconTrie trie = LexiconTrie::load(arguments[5]);
  const double loaded = cpu_s();
  std::size_t steps = 0;
  std::vector<std::vector<int>> spelled;
  for (const std::string& word : walk_order(words)) {
    spelled.push_back(alphabet.encode(word));
    for (int& label : spelled.back()) label = alphabet.label_of(label);
    steps += spelled.back().size();
  }
  std::printf("{\"words\": %zu, \"nodes\": %llu, \"bytes_per_node\": %zu, \"build_s\": %.4f, \"load_s\": %.4f, ",
              words.size(), static_cast<unsigned long long>(info.nodes), sizeof(speechmill::TrieNode),
              built - began, loaded - built);
  std::printf("\"steps\": %zu, \"walks_s\": [", steps);
  for (int round = std::atoi(arguments[6]); round > 0; --round) {
    const double start = cpu_s();
    const std::uint32_t found = sorted ? walk<true>(trie, spelled) : walk<false>(trie, spelled);
    std::printf("%.6f%s", cpu_s() - start, round > 1 ? ", " : "]");
    if (found != words.size()) return 1;
  }
  std::printf("}\n");
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return count == 7 ? run(arguments) : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
