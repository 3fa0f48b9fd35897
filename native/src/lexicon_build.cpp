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

namespace speechmill {
namespace {

struct Entry {
  std::string labels;  // one byte per label number, so that entries sort in label order
  std::uint32_t word = 0;
  float unigram = 0.0F;  // ln P without context
};

// Words in, entries out: what cannot be used is counted by reason.
class Lexicon {
public:
  Lexicon(const Alphabet& alphabet, const LanguageModel& model) : alphabet_(alphabet), model_(model) {}

  void add_all(const std::vector<std::string>& words, std::map<std::string, std::uint64_t>* skipped) {
    std::vector<int> ids;
    const LmState none = model_.no_context();
    for (const std::string& word : words) {
      const char* reason = refusal(word, &ids);
      if (reason != nullptr) {
        ++(*skipped)[reason];
        continue;
      }
      Entry entry;
      for (const int id : ids) entry.labels += static_cast<char>(alphabet_.label_of(id));
      entry.word = model_.word_index(word);
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

  std::string vocabulary_hash() const {
    std::vector<std::string> spelled;
    spelled.reserve(entries_.size());
    for (const Entry& entry : entries_) {
      std::string word;
      for (const char label : entry.labels) word += alphabet_.labels()[static_cast<std::size_t>(label)];
      spelled.push_back(std::move(word));
    }
    std::sort(spelled.begin(), spelled.end());
    Sha256 hash;
    for (const std::string& word : spelled) {
      hash.update(word);
      hash.update("\n");
    }
    return hash.hex_digest();
  }

private:
  const char* refusal(const std::string& word, std::vector<int>* ids) const {
    if (word.empty()) return "empty";
    if (word == "<s>" || word == "</s>" || word == "<unk>") return "reserved";
    if (word.find_first_of(" \t\n") != std::string::npos) return "holds_a_space";
    if (!alphabet_.try_encode(word, ids)) return "outside_alphabet";
    if (model_.word_index(word) == 0) return "not_in_language_model";
    return nullptr;
  }

  const Alphabet& alphabet_;
  const LanguageModel& model_;
  std::vector<Entry> entries_;
};

// The entries below a node that is still to be laid out.
struct Span {
  std::size_t begin;
  std::size_t end;
  std::size_t depth;
};

std::vector<TrieNode> lay_out(const std::vector<Entry>& entries) {
  std::vector<TrieNode> nodes(1, TrieNode{0, 0, 0, 0.0F});
  std::vector<Span> spans(1, Span{0, entries.size(), 0});
  std::vector<std::uint32_t> parents(1, 0);
  for (std::size_t i = 0; i < spans.size(); ++i) {
    auto [begin, end, depth] = spans[i];
    TrieNode node{0, 0, 0, -std::numeric_limits<float>::max()};
    if (begin < end &&
        entries[begin].labels.size() == depth) {  // sorted: the word that ends here comes first
      node.word = entries[begin].word;
      node.look_ahead = entries[begin].unigram;
      ++begin;
    }
    node.first_child = begin < end ? static_cast<std::uint32_t>(spans.size()) : 0;
    while (begin < end) {
      const char label = entries[begin].labels[depth];
      std::size_t stop = begin;
      while (stop < end && entries[stop].labels[depth] == label) ++stop;
      node.bitmap |= 1U << label;
      spans.push_back({begin, stop, depth + 1});
      parents.push_back(static_cast<std::uint32_t>(i));
      begin = stop;
    }
    if (i == 0)
      nodes[0] = node;
    else
      nodes.push_back(node);
    if (spans.size() > std::numeric_limits<std::uint32_t>::max())
      throw ScorerError("the lexicon has too many words");
  }
  for (std::size_t i = nodes.size() - 1; i > 0; --i) {  // children come after their parents
    TrieNode& parent = nodes[parents[i]];
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
std::string assemble(TrieHeader header, const TrieInfo& info, const std::vector<TrieNode>& nodes) {
  const std::string identity = pairs_text(info.identity);
  const std::string skipped = pairs_text(info.skipped);
  const std::string_view parts[kTrieSections] = {
      info.alphabet_text,
      identity,
      skipped,
      {reinterpret_cast<const char*>(nodes.data()), nodes.size() * sizeof(TrieNode)}};
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

void check_build(const TrieBuild& build) {
  const std::size_t labels = build.alphabet->labels().size();
  if (labels > kTrieMaxLabels) {
    throw ScorerError("the alphabet has " + std::to_string(labels) + " labels; a lexicon trie takes up to " +
                      std::to_string(kTrieMaxLabels) + " in this version");
  }
  for (const auto& [key, value] : build.identity) {
    if (key.find_first_of("\t\n") != std::string::npos || value.find_first_of("\t\n") != std::string::npos) {
      throw ScorerError("identity entry \"" + key + "\" holds a tab or a line break");
    }
  }
}

}  // namespace

TrieInfo build_lexicon_trie(const std::vector<std::string>& words, const TrieBuild& build,
                            const std::string& out_path) {
  check_build(build);
  const auto model = LanguageModel::load(build.lm_binary_path);
  TrieInfo info;
  Lexicon lexicon(*build.alphabet, *model);
  lexicon.add_all(words, &info.skipped);
  if (lexicon.entries().empty()) {
    throw ScorerError(
        "none of the " + std::to_string(words.size()) +
        " words can stand in the lexicon: they are outside the alphabet or unknown to the language model " +
        build.lm_binary_path);
  }
  const std::vector<TrieNode> nodes = lay_out(lexicon.entries());
  info.nodes = nodes.size();
  info.words = lexicon.entries().size();
  info.vocabulary_size = model->vocabulary_size();
  info.order = static_cast<std::uint32_t>(model->order());
  info.blank = build.alphabet->blank();
  info.alphabet_text = build.alphabet->canonical();
  info.alphabet_hash = build.alphabet->hash();
  info.vocabulary_hash = lexicon.vocabulary_hash();
  info.identity = build.identity;
  TrieHeader header{};
  std::memcpy(header.magic, kTrieMagic, sizeof kTrieMagic);
  header.version = kTrieVersion;
  header.byte_order = kByteOrderMark;
  header.header_bytes = sizeof header;
  header.node_kind = kNodeKindBitmap28;
  header.label_kind = kLabelKindCharacters;
  header.blank = info.blank;
  header.labels = static_cast<std::uint32_t>(build.alphabet->labels().size());
  header.lm_order = info.order;
  header.nodes = info.nodes;
  header.words = info.words;
  header.vocabulary_size = info.vocabulary_size;
  try {
    info.lm_hash = sha256_file(build.lm_binary_path);
    std::memcpy(header.alphabet_hash, info.alphabet_hash.data(), sizeof header.alphabet_hash);
    std::memcpy(header.vocabulary_hash, info.vocabulary_hash.data(), sizeof header.vocabulary_hash);
    std::memcpy(header.lm_hash, info.lm_hash.data(), sizeof header.lm_hash);
    write_file_atomically(out_path, assemble(header, info, nodes));
  } catch (const std::runtime_error& error) {
    throw ScorerError(std::string("lexicon trie: ") + error.what());
  }
  return info;
}

}  // namespace speechmill
