// Building a lexicon trie: encode and sort the words, lay the nodes out breadth first, write header and
// sections.
#include <algorithm>
#include <limits>
#include <memory>
#include <unordered_map>

#include "base/error.h"
#include "hashes/sha256.h"
#include "scorer/language_model.h"
#include "scorer/lexicon_trie.h"
#include "scorer/lexicon_words.h"
#include "scorer/trie_format.h"

namespace speechmill {
namespace {

void note_label(TrieNode*, std::uint32_t) {}
void note_label(SortedTrieNode* node, std::uint32_t label) {
  node->label = static_cast<std::uint16_t>(label);
}
void add_edge(TrieNode* node, std::uint32_t label) {
  node->bitmap |= 1U << label;
}
void add_edge(SortedTrieNode* node, std::uint32_t) {
  ++node->children;
}
std::uint32_t children_of(const TrieNode& node) {
  return bit_count(node.bitmap);
}
std::uint32_t children_of(const SortedTrieNode& node) {
  return node.children;
}

// Lays the nodes out: the first levels breadth first, because every walk begins there; below them each
// subtree for itself, so that a word's last letters, which mostly have no siblings, lie side by side.
template <class Node>
class Layout {
public:
  explicit Layout(const Lexicon& lexicon) : lexicon_(lexicon), entries_(lexicon.entries()) {}

  std::vector<Node> nodes() {
    nodes_.reserve(lexicon_.nodes());
    nodes_.assign(1, Node{});
    std::vector<Span> level(1, Span{0, entries_.size(), 0, 0});
    for (int depth = 0; depth < kBroadLevels; ++depth) {
      std::vector<Span> below;
      for (const Span& span : level) fill(span, &below);
      level.swap(below);
    }
    std::vector<Span> waiting;
    for (const Span& top : level) {
      waiting.push_back(top);
      while (!waiting.empty()) {
        const Span span = waiting.back();
        waiting.pop_back();
        const std::size_t others = waiting.size();
        fill(span, &waiting);
        std::reverse(waiting.begin() + static_cast<std::ptrdiff_t>(others), waiting.end());
      }
    }
    look_ahead();
    return std::move(nodes_);
  }

  // Of a lexicon of pronunciations, once the nodes are laid out: what stands at them, and the words' letters.
  const std::vector<SpokenWord>& spoken() const { return spoken_; }
  const std::string& texts() const { return texts_; }

private:
  static constexpr int kBroadLevels = 3;

  // The entries below a node.
  struct Span {
    std::size_t begin;
    std::size_t end;
    std::size_t depth;
    std::size_t node;
  };

  // Writes the node of a span and makes room for its children, which are added to `below`.
  void fill(Span span, std::vector<Span>* below) {
    Node node = nodes_[span.node];
    node.look_ahead = -std::numeric_limits<float>::max();
    // Sorted: the word that ends here comes first.
    if (span.begin < span.end && lexicon_.depth_of(entries_[span.begin]) == span.depth) {
      node.look_ahead = entries_[span.begin].unigram;
      node.word = lexicon_.pronounced() ? speak(&span) : entries_[span.begin++].word;
    }
    if (span.begin < span.end) node.first_child = static_cast<std::uint32_t>(nodes_.size());
    while (span.begin < span.end) {
      const std::uint32_t label = lexicon_.label(entries_[span.begin], span.depth);
      std::size_t stop = span.begin + 1;
      while (stop < span.end && lexicon_.label(entries_[stop], span.depth) == label) ++stop;
      add_edge(&node, label);
      below->push_back({span.begin, stop, span.depth + 1, nodes_.size()});
      nodes_.emplace_back();
      note_label(&nodes_.back(), label);
      span.begin = stop;
    }
    nodes_[span.node] = node;
    if (nodes_.size() > std::numeric_limits<std::uint32_t>::max())
      throw ScorerError("the lexicon has too many words");
  }

  // Takes the words that end here, the most probable first, out of the span; the place of the first, plus 1.
  std::uint32_t speak(Span* span) {
    const auto first = static_cast<std::uint32_t>(spoken_.size());
    for (; span->begin < span->end && lexicon_.depth_of(entries_[span->begin]) == span->depth;
         ++span->begin) {
      const Entry& entry = entries_[span->begin];
      const std::string& text = lexicon_.text(entry);
      if (text.size() > std::numeric_limits<std::uint16_t>::max() ||
          texts_.size() > std::numeric_limits<std::uint32_t>::max() - text.size()) {
        throw ScorerError("the lexicon's words are too long");
      }
      const auto [place, fresh] = text_of_.emplace(entry.word, static_cast<std::uint32_t>(texts_.size()));
      if (fresh) texts_ += text;
      if (spoken_.size() > first) spoken_.back().more = 1;
      spoken_.push_back({entry.word, place->second, static_cast<std::uint16_t>(text.size()), 0});
    }
    return first + 1;
  }

  // Children come after their parents, so that one pass from the end reaches the root.
  void look_ahead() {
    for (std::size_t i = nodes_.size(); i-- > 0;) {
      Node& node = nodes_[i];
      const std::uint32_t end = node.first_child + children_of(node);
      for (std::uint32_t child = node.first_child; child < end; ++child) {
        node.look_ahead = std::max(node.look_ahead, nodes_[child].look_ahead);
      }
    }
  }

  const Lexicon& lexicon_;
  const std::vector<Entry>& entries_;
  std::vector<Node> nodes_;
  std::vector<SpokenWord> spoken_;
  std::string texts_;
  std::unordered_map<std::uint32_t, std::uint32_t> text_of_;  // by the language model's index
};

template <class Map>
std::string pairs_text(const Map& pairs) {
  std::string text;
  for (const auto& [key, value] : pairs) {
    text += key + '\t';
    if constexpr (std::is_integral_v<typename Map::mapped_type>)
      text += std::to_string(value);
    else
      text += value;
    text += '\n';
  }
  return text;
}

template <class Element>
std::string_view bytes_of(const std::vector<Element>& elements) {
  return {reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(Element)};
}

// Header, sections and nodes as one string of bytes; `last` are the sections behind the identity and what was
// skipped.
std::string assemble(TrieHeader header, const TrieInfo& info, const std::vector<std::string_view>& last) {
  const std::string identity = pairs_text(info.identity);
  const std::string skipped = pairs_text(info.skipped);
  std::vector<std::string_view> parts = {info.alphabet_text, identity, skipped};
  parts.insert(parts.end(), last.begin(), last.end());
  std::size_t size = header.header_bytes;
  for (const std::string_view part : parts) size += part.size() + kSectionAlignment;
  std::string bytes(header.header_bytes, '\0');
  bytes.reserve(size);
  std::vector<TrieSection> table;
  for (const std::string_view part : parts) {
    bytes.resize((bytes.size() + kSectionAlignment - 1) / kSectionAlignment * kSectionAlignment, '\0');
    table.push_back({bytes.size(), part.size()});
    bytes += part;
  }
  std::copy_n(table.begin(), kTrieSections, header.sections);
  std::memcpy(bytes.data() + sizeof header, table.data() + kTrieSections,
              (table.size() - kTrieSections) * sizeof(TrieSection));
  header.file_bytes = bytes.size();
  header.checksum = trie_checksum(header, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

void check_pronunciations(const TrieBuild& build, std::size_t words) {
  if (build.pronunciations == nullptr) return;
  if (build.pronunciations->size() != words) {
    throw ScorerError(std::to_string(build.pronunciations->size()) + " pronunciations for " +
                      std::to_string(words) + " words");
  }
  if (build.unit == LmUnit::kCharacters || build.alphabet->kind() != LabelKind::kCharacters) {
    throw ScorerError(
        "pronunciations need a language model of words and an alphabet of labels, not of bytes or pieces");
  }
}

NodeKind check_build(const TrieBuild& build) {
  const std::size_t labels = build.alphabet->labels().size();
  const NodeKind kind =
      build.node_kind.value_or(labels <= kBitmapLabels ? NodeKind::kBitmap : NodeKind::kSorted);
  const std::uint32_t most = kind == NodeKind::kBitmap ? kBitmapLabels : kSortedLabels;
  if (labels > most) {
    throw ScorerError("the alphabet has " + std::to_string(labels) +
                      " labels; a lexicon trie of this kind takes up to " + std::to_string(most) +
                      ": use the alphabet of bytes");
  }
  for (const auto& [key, value] : build.identity) {
    if (key == "lm_hash" && value.size() != sizeof TrieHeader::lm_hash) {
      throw ScorerError("identity entry lm_hash \"" + value + "\" is no SHA-256 in hexadecimal digits");
    }
    if (key.find_first_of("\t\n") != std::string::npos || value.find_first_of("\t\n") != std::string::npos) {
      throw ScorerError("identity entry \"" + key + "\" holds a tab or a line break");
    }
  }
  return kind;
}

void describe(const TrieBuild& build, const LanguageModel& model, TrieInfo* info) {
  info->label_kind = build.alphabet->kind();
  info->unit = build.unit;
  info->vocabulary_size = model.vocabulary_size();
  info->order = static_cast<std::uint32_t>(model.order());
  info->highest_order = static_cast<std::uint32_t>(LanguageModel::highest_order());
  info->blank = build.alphabet->blank();
  info->alphabet_text = build.alphabet->canonical();
  info->alphabet_hash = build.alphabet->hash();
  info->identity = build.identity;
}

TrieHeader header_of(const TrieInfo& info, const Alphabet& alphabet) {
  TrieHeader header{};
  std::memcpy(header.magic, kTrieMagic, sizeof kTrieMagic);
  header.version = info.pronunciations > 0 ? kPronouncedVersion : kTrieVersion;
  header.byte_order = kByteOrderMark;
  header.header_bytes = static_cast<std::uint32_t>(header_bytes(header.version));
  header.node_kind = info.node_kind;
  header.label_kind = info.label_kind;
  header.unit = info.unit;
  header.blank = info.blank;
  header.labels = static_cast<std::uint32_t>(alphabet.labels().size());
  header.lm_order = info.order;
  header.highest_order = info.highest_order;
  header.nodes = info.nodes;
  header.words = info.words;
  header.vocabulary_size = info.vocabulary_size;
  std::memcpy(header.alphabet_hash, info.alphabet_hash.data(), sizeof header.alphabet_hash);
  std::memcpy(header.vocabulary_hash, info.vocabulary_hash.data(), sizeof header.vocabulary_hash);
  std::memcpy(header.lm_hash, info.lm_hash.data(), sizeof header.lm_hash);
  return header;
}

// Nodes, header, file.
template <class Node>
void write_trie(const Lexicon& lexicon, const Alphabet& alphabet, const std::string& out_path,
                TrieInfo* info) {
  Layout<Node> layout(lexicon);
  const std::vector<Node> nodes = layout.nodes();
  info->nodes = nodes.size();
  std::vector<std::string_view> last = {bytes_of(nodes)};
  if (lexicon.pronounced()) last.insert(last.end(), {bytes_of(layout.spoken()), layout.texts()});
  write_file_atomically(out_path, assemble(header_of(*info, alphabet), *info, last));
}

}  // namespace

TrieInfo build_lexicon_trie(const std::vector<std::string>& words, const TrieBuild& asked,
                            const std::string& out_path) {
  TrieBuild build = asked;
  build.alphabet = &asked.alphabet->spelling();
  TrieInfo info;
  info.node_kind = check_build(build);
  check_pronunciations(asked, words.size());
  const auto model = LanguageModel::load(build.lm_binary_path);
  Lexicon lexicon(build, *model, words);
  lexicon.add_all(&info.skipped);
  if (lexicon.entries().empty()) {
    throw ScorerError(
        "none of the " + std::to_string(words.size()) +
        " words can stand in the lexicon: they are outside the alphabet or unknown to the language model " +
        build.lm_binary_path);
  }
  info.words = lexicon.words();
  if (lexicon.pronounced()) info.pronunciations = lexicon.entries().size();
  info.vocabulary_hash = lexicon.vocabulary_hash();
  describe(build, *model, &info);
  try {
    // A caller that has just hashed the file says so; Scorer::load() compares in any case.
    const auto hashed = build.identity.find("lm_hash");
    info.lm_hash = hashed != build.identity.end() ? hashed->second : sha256_file(build.lm_binary_path);
    if (info.node_kind == NodeKind::kSorted)
      write_trie<SortedTrieNode>(lexicon, *build.alphabet, out_path, &info);
    else
      write_trie<TrieNode>(lexicon, *build.alphabet, out_path, &info);
  } catch (const std::runtime_error& error) {
    throw ScorerError(std::string("lexicon trie: ") + error.what());
  }
  return info;
}

}  // namespace speechmill
