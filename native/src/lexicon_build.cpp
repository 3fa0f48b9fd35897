// Building a lexicon trie: encode and sort the words, lay the nodes out breadth first, write header and
// sections.
#include <algorithm>
#include <limits>
#include <memory>

#include "native/error.h"
#include "native/language_model.h"
#include "native/lexicon_trie.h"
#include "native/sha256.h"
#include "native/trie_format.h"
#include "native/utf8.h"

namespace speechmill {
namespace {

struct Entry {
  std::string labels;      // label numbers, two bytes each where one is too small; sorts in label order
  std::size_t source = 0;  // which of the words
  std::uint32_t word = 0;  // of the language model
  float unigram = 0.0F;    // ln P without context
};

// Words in, entries out: what cannot be used is counted by reason.
class Lexicon {
public:
  Lexicon(const TrieBuild& build, const LanguageModel& model, const std::vector<std::string>& words)
      : alphabet_(*build.alphabet),
        unit_(build.unit),
        model_(model),
        words_(words),
        wide_(alphabet_.labels().size() > 256) {}

  void add_all(std::map<std::string, std::uint64_t>* skipped) {
    std::vector<int> ids;
    const LmState none = model_.no_context();
    entries_.reserve(words_.size());
    for (std::size_t source = 0; source < words_.size(); ++source) {
      Entry entry;
      entry.source = source;
      const char* reason = refusal(words_[source], &ids, &entry.word);
      if (reason != nullptr) {
        ++(*skipped)[reason];
        continue;
      }
      for (const int id : ids) {
        const int label = alphabet_.label_of(id);
        if (wide_) entry.labels += static_cast<char>(label >> 8);
        entry.labels += static_cast<char>(label & 0xFF);
      }
      LmState next;
      entry.unigram = std::min(0.0F, model_.score(none, entry.word, &next));
      entries_.push_back(std::move(entry));
    }
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.labels < b.labels; });
    const auto same = [](const Entry& a, const Entry& b) { return a.labels == b.labels; };
    const auto end = std::unique(entries_.begin(), entries_.end(), same);
    const auto twice = static_cast<std::uint64_t>(entries_.end() - end);
    if (twice > 0) (*skipped)["duplicate"] += twice;
    entries_.erase(end, entries_.end());
  }

  const std::vector<Entry>& entries() const { return entries_; }
  std::size_t depth_of(const Entry& entry) const { return entry.labels.size() >> (wide_ ? 1 : 0); }
  std::uint32_t label(const Entry& entry, std::size_t depth) const {
    const auto byte = [&entry](std::size_t at) { return static_cast<unsigned char>(entry.labels[at]); };
    return wide_ ? std::uint32_t{byte(2 * depth)} << 8 | byte(2 * depth + 1) : byte(depth);
  }

  std::string vocabulary_hash() const {
    std::vector<std::string_view> spelled;
    spelled.reserve(entries_.size());
    for (const Entry& entry : entries_) spelled.push_back(words_[entry.source]);
    std::sort(spelled.begin(), spelled.end());
    Sha256 hash;
    for (const std::string_view word : spelled) {
      hash.update(word);
      hash.update("\n");
    }
    return hash.hex_digest();
  }

private:
  const char* refusal(const std::string& word, std::vector<int>* ids, std::uint32_t* index) const {
    if (word.empty()) return "empty";
    if (word == "<s>" || word == "</s>" || word == "<unk>") return "reserved";
    if (word.find_first_of(" \t\n") != std::string::npos) return "holds_a_space";
    const bool characters = unit_ == LmUnit::kCharacters;
    if (characters && character_bytes(word, 0) != word.size()) return "not_one_character";
    const bool spelled = alphabet_.try_encode(characters && word == kSpaceWord ? " " : word, ids);
    if (!spelled) return "outside_alphabet";
    *index = model_.word_index(word);
    return *index == 0 ? "not_in_language_model" : nullptr;
  }

  const Alphabet& alphabet_;
  LmUnit unit_;
  const LanguageModel& model_;
  const std::vector<std::string>& words_;
  bool wide_;
  std::vector<Entry> entries_;
};

// The entries below a node that is still to be laid out.
struct Span {
  std::size_t begin;
  std::size_t end;
  std::size_t depth;
  std::uint32_t parent;
  std::uint32_t label;  // that leads here
};

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

template <class Node>
std::vector<Node> lay_out(const Lexicon& lexicon) {
  const std::vector<Entry>& entries = lexicon.entries();
  std::vector<Node> nodes;
  std::vector<Span> spans(1, Span{0, entries.size(), 0, 0, 0});
  for (std::size_t i = 0; i < spans.size(); ++i) {
    Span span = spans[i];
    Node node{};
    note_label(&node, span.label);
    node.look_ahead = -std::numeric_limits<float>::max();
    // Sorted: the word that ends here comes first.
    if (span.begin < span.end && lexicon.depth_of(entries[span.begin]) == span.depth) {
      node.word = entries[span.begin].word;
      node.look_ahead = entries[span.begin].unigram;
      ++span.begin;
    }
    node.first_child = span.begin < span.end ? static_cast<std::uint32_t>(spans.size()) : 0;
    while (span.begin < span.end) {
      const std::uint32_t label = lexicon.label(entries[span.begin], span.depth);
      std::size_t stop = span.begin + 1;
      while (stop < span.end && lexicon.label(entries[stop], span.depth) == label) ++stop;
      add_edge(&node, label);
      spans.push_back({span.begin, stop, span.depth + 1, static_cast<std::uint32_t>(i), label});
      span.begin = stop;
    }
    nodes.push_back(node);
    if (spans.size() > std::numeric_limits<std::uint32_t>::max())
      throw ScorerError("the lexicon has too many words");
  }
  for (std::size_t i = nodes.size() - 1; i > 0; --i) {  // children come after their parents
    Node& parent = nodes[spans[i].parent];
    parent.look_ahead = std::max(parent.look_ahead, nodes[i].look_ahead);
  }
  return nodes;
}

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

// Header, sections and nodes as one string of bytes.
std::string assemble(TrieHeader header, const TrieInfo& info, std::string_view nodes) {
  const std::string identity = pairs_text(info.identity);
  const std::string skipped = pairs_text(info.skipped);
  const std::string_view parts[kTrieSections] = {info.alphabet_text, identity, skipped, nodes};
  std::string bytes(sizeof header, '\0');
  for (int i = 0; i < kTrieSections; ++i) {
    bytes.resize((bytes.size() + kSectionAlignment - 1) / kSectionAlignment * kSectionAlignment, '\0');
    header.sections[i] = {bytes.size(), parts[i].size()};
    bytes += parts[i];
  }
  header.file_bytes = bytes.size();
  header.checksum = trie_checksum(header, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

template <class Node>
std::string node_bytes(const Lexicon& lexicon) {
  const std::vector<Node> nodes = lay_out<Node>(lexicon);
  return std::string(reinterpret_cast<const char*>(nodes.data()), nodes.size() * sizeof(Node));
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
  header.version = kTrieVersion;
  header.byte_order = kByteOrderMark;
  header.header_bytes = sizeof header;
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

}  // namespace

TrieInfo build_lexicon_trie(const std::vector<std::string>& words, const TrieBuild& build,
                            const std::string& out_path) {
  TrieInfo info;
  info.node_kind = check_build(build);
  const auto model = LanguageModel::load(build.lm_binary_path);
  Lexicon lexicon(build, *model, words);
  lexicon.add_all(&info.skipped);
  if (lexicon.entries().empty()) {
    throw ScorerError(
        "none of the " + std::to_string(words.size()) +
        " words can stand in the lexicon: they are outside the alphabet or unknown to the language model " +
        build.lm_binary_path);
  }
  const std::string nodes = info.node_kind == NodeKind::kSorted ? node_bytes<SortedTrieNode>(lexicon)
                                                                : node_bytes<TrieNode>(lexicon);
  info.nodes = nodes.size() / sizeof(TrieNode);
  info.words = lexicon.entries().size();
  info.vocabulary_hash = lexicon.vocabulary_hash();
  describe(build, *model, &info);
  try {
    // A caller that has just hashed the file says so; Scorer::load() compares in any case.
    const auto hashed = build.identity.find("lm_hash");
    info.lm_hash = hashed != build.identity.end() ? hashed->second : sha256_file(build.lm_binary_path);
    write_file_atomically(out_path, assemble(header_of(info, *build.alphabet), info, nodes));
  } catch (const std::runtime_error& error) {
    throw ScorerError(std::string("lexicon trie: ") + error.what());
  }
  return info;
}

}  // namespace speechmill
