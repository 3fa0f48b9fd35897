#include "scorer/lexicon_trie.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "hashes/sha256.h"
#include "scorer/trie_format.h"

namespace speechmill {
namespace {

constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87ULL;
constexpr std::uint64_t kPrime2 = 0xC2B2AE3D27D4EB4FULL;
constexpr std::uint64_t kPrime3 = 0x165667B19E3779F9ULL;
constexpr std::uint64_t kPrime4 = 0x85EBCA77C2B2AE63ULL;
constexpr std::uint64_t kPrime5 = 0x27D4EB2F165667C5ULL;

std::uint64_t rotate_left(std::uint64_t value, int bits) {
  return (value << bits) | (value >> (64 - bits));
}

std::uint64_t load64(const std::uint8_t* at) {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

std::uint64_t mix(std::uint64_t lane, std::uint64_t input) {
  return rotate_left(lane + input * kPrime2, 31) * kPrime1;
}

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw ScorerError("lexicon trie " + name + ": " + what + "; build it again with `python -m lm build`");
}

template <class Kind>
std::string number(Kind kind) {
  return std::to_string(static_cast<std::uint32_t>(kind));
}

// Sections follow each other from `end` on and lie in the file.
void check_sections(const TrieSection* sections, int count, std::uint64_t end, std::size_t size,
                    const std::string& name) {
  for (int i = 0; i < count; ++i) {
    const TrieSection& section = sections[i];
    const bool aligned = section.offset % kSectionAlignment == 0;
    if (!aligned || section.offset < end || section.offset > size || section.size > size - section.offset) {
      refuse(name, "its section table is damaged");
    }
    end = section.offset + section.size;
  }
}

void check_header(const TrieHeader& header, std::size_t size, const std::string& name) {
  if (std::memcmp(header.magic, kTrieMagic, sizeof kTrieMagic) != 0)
    refuse(name, "it is not a lexicon trie file");
  if (header.byte_order != kByteOrderMark)
    refuse(name, "it was written on a machine of the other byte order");
  if (header.version != kTrieVersion && header.version != kPronouncedVersion) {
    refuse(name, "its format version is " + std::to_string(header.version) + ", this build reads version " +
                     std::to_string(kTrieVersion) + " and, of pronunciations, " +
                     std::to_string(kPronouncedVersion));
  }
  if (header.header_bytes != header_bytes(header.version)) refuse(name, "its header is damaged (length)");
  if (header.file_bytes != size) {
    refuse(name, "it has " + std::to_string(size) + " of " + std::to_string(header.file_bytes) +
                     " bytes: it was cut or is still being copied");
  }
  const bool sorted = header.node_kind == NodeKind::kSorted;
  const bool bytes = header.label_kind == LabelKind::kBytes;
  if ((!sorted && header.node_kind != NodeKind::kBitmap) ||
      (!bytes && header.label_kind != LabelKind::kCharacters) ||
      (header.unit != LmUnit::kWords && header.unit != LmUnit::kCharacters)) {
    refuse(name, "its node kind " + number(header.node_kind) + ", label kind " + number(header.label_kind) +
                     " or unit " + number(header.unit) + " is unknown to this build");
  }
  if (header.labels == 0 || header.labels > (sorted ? kSortedLabels : kBitmapLabels) || header.blank < 0 ||
      header.blank > static_cast<std::int32_t>(header.labels)) {
    refuse(name, "its header is damaged (labels or blank)");
  }
  check_sections(header.sections, kTrieSections, header.header_bytes, size, name);
  const TrieSection& nodes = header.sections[kNodesSection];
  if (header.nodes == 0 || header.nodes > UINT32_MAX || nodes.size != header.nodes * sizeof(TrieNode)) {
    refuse(name, "its header is damaged (number of nodes)");
  }
}

// True if the edges of node `i` name labels of the alphabet; says how many children they lead to.
bool edges_hold(const TrieNode* nodes, std::uint64_t i, const TrieHeader& header, std::uint64_t* children) {
  *children = bit_count(nodes[i].bitmap);
  return (std::uint64_t{nodes[i].bitmap} >> header.labels) == 0;
}

// As above; that the labels of the children rise is asked where the children themselves are checked.
bool edges_hold(const SortedTrieNode* nodes, std::uint64_t i, const TrieHeader& header,
                std::uint64_t* children) {
  const SortedTrieNode& node = nodes[i];
  *children = node.children;
  if (node.label >= header.labels) return false;
  if (node.first_child <= i || std::uint64_t{node.first_child} + node.children > header.nodes) {
    return node.children == 0;
  }
  for (std::uint32_t child = 1; child < node.children; ++child) {
    const SortedTrieNode* at = nodes + node.first_child + child;
    if (at[0].label <= at[-1].label) return false;
  }
  return true;
}

// Proves that no walk can leave the nodes: children exist, come after their parent, and words are below
// `bound`. Returns how many nodes have words.
template <class Node>
std::uint64_t check_nodes(const Node* nodes, const TrieHeader& header, std::uint64_t bound,
                          const std::string& name) {
  std::uint64_t words = 0;
  for (std::uint64_t i = 0; i < header.nodes; ++i) {
    const Node& node = nodes[i];
    std::uint64_t children = 0;
    const bool named = edges_hold(nodes, i, header, &children);
    const bool bounded =
        children == 0 || (node.first_child > i && node.first_child + children <= header.nodes);
    if (!named || !bounded || node.word >= bound || !(node.look_ahead <= 0.0F) ||
        std::isinf(node.look_ahead)) {
      refuse(name, "node " + std::to_string(i) + " is damaged");
    }
    words += node.word != 0 ? 1 : 0;
  }
  return words;
}

TrieHeader header_at(const std::uint8_t* data) {
  TrieHeader header;
  std::memcpy(&header, data, sizeof header);
  return header;
}

[[noreturn]] void refuse_count(const std::string& name) {
  refuse(name, "its header is damaged (number of words)");
}

std::string_view section_text(const std::uint8_t* data, const TrieSection& section) {
  return {reinterpret_cast<const char*>(data + section.offset), static_cast<std::size_t>(section.size)};
}

std::map<std::string, std::string> parse_pairs(std::string_view text, const std::string& name) {
  std::map<std::string, std::string> pairs;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t tab = text.find('\t');
    if (end == std::string_view::npos || tab == std::string_view::npos || tab > end) {
      refuse(name, "its identity section is damaged");
    }
    pairs[std::string(text.substr(0, tab))] = std::string(text.substr(tab + 1, end - tab - 1));
    text.remove_prefix(end + 1);
  }
  return pairs;
}

}  // namespace

std::uint64_t checksum64(const std::uint8_t* data, std::size_t size, std::uint64_t seed) {
  const std::uint8_t* const end = data + size;
  std::uint64_t hash = seed + kPrime5;
  if (size >= 32) {
    std::uint64_t lanes[4] = {seed + kPrime1 + kPrime2, seed + kPrime2, seed, seed - kPrime1};
    for (; end - data >= 32; data += 32) {
      for (int i = 0; i < 4; ++i) lanes[i] = mix(lanes[i], load64(data + 8 * i));
    }
    hash = rotate_left(lanes[0], 1) + rotate_left(lanes[1], 7) + rotate_left(lanes[2], 12) +
           rotate_left(lanes[3], 18);
    for (const std::uint64_t lane : lanes) hash = (hash ^ mix(0, lane)) * kPrime1 + kPrime4;
  }
  hash += size;
  for (; end - data >= 8; data += 8) hash = rotate_left(hash ^ mix(0, load64(data)), 27) * kPrime1 + kPrime4;
  for (; data < end; ++data) hash = rotate_left(hash ^ (*data * kPrime5), 11) * kPrime1;
  hash = (hash ^ (hash >> 33)) * kPrime2;
  hash = (hash ^ (hash >> 29)) * kPrime3;
  return hash ^ (hash >> 32);
}

std::uint64_t trie_checksum(const TrieHeader& header, const std::uint8_t* data, std::size_t size) {
  TrieHeader plain = header;
  plain.checksum = 0;
  const std::uint64_t first = checksum64(reinterpret_cast<const std::uint8_t*>(&plain), sizeof plain);
  return checksum64(data + sizeof plain, size - sizeof plain, first);
}

LexiconTrie LexiconTrie::load(const std::string& path) {
  try {
    LexiconTrie trie{MappedFile(path)};
    trie.parse(trie.file_.data(), trie.file_.size(), path);
    return trie;
  } catch (const ScorerError&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw ScorerError(std::string("lexicon trie ") + error.what());
  }
}

LexiconTrie LexiconTrie::from_memory(const std::uint8_t* data, std::size_t size, const std::string& name) {
  LexiconTrie trie{MappedFile()};
  trie.parse(data, size, name);
  return trie;
}

void LexiconTrie::parse(const std::uint8_t* data, std::size_t size, const std::string& name) {
  if (size < sizeof(TrieHeader)) refuse(name, "it has only " + std::to_string(size) + " bytes");
  const TrieHeader header = header_at(data);
  check_header(header, size, name);
  if (trie_checksum(header, data, size) != header.checksum) {
    refuse(name, "its checksum does not agree: bytes were damaged after it was written");
  }
  const std::uint8_t* const nodes = data + header.sections[kNodesSection].offset;
  nodes_ = reinterpret_cast<const TrieNode*>(nodes);
  sorted_nodes_ = reinterpret_cast<const SortedTrieNode*>(nodes);
  if (header.version == kPronouncedVersion) parse_spoken(data, name);
  const std::uint64_t bound = pronounced() ? info_.pronunciations + 1 : header.vocabulary_size;
  const std::uint64_t ending = header.node_kind == NodeKind::kSorted
                                   ? check_nodes(sorted_nodes_, header, bound, name)
                                   : check_nodes(nodes_, header, bound, name);
  if (!pronounced() && ending != header.words) refuse_count(name);
  for (std::uint32_t i = 0; pronounced() && i < header.nodes; ++i) {
    if (word(i) > 1 && spoken_[word(i) - 2].more != 0)
      refuse(name, "node " + std::to_string(i) + " is damaged");
  }
  info_.node_kind = header.node_kind;
  info_.label_kind = header.label_kind;
  info_.unit = header.unit;
  info_.highest_order = header.highest_order;
  info_.nodes = header.nodes;
  labels_ = header.labels;
  info_.words = header.words;
  info_.vocabulary_size = header.vocabulary_size;
  info_.order = header.lm_order;
  info_.blank = header.blank;
  info_.alphabet_text = section_text(data, header.sections[kAlphabetSection]);
  info_.alphabet_hash.assign(header.alphabet_hash, sizeof header.alphabet_hash);
  info_.vocabulary_hash.assign(header.vocabulary_hash, sizeof header.vocabulary_hash);
  info_.lm_hash.assign(header.lm_hash, sizeof header.lm_hash);
  info_.identity = parse_pairs(section_text(data, header.sections[kIdentitySection]), name);
  for (const auto& [reason, count] :
       parse_pairs(section_text(data, header.sections[kSkippedSection]), name)) {
    std::from_chars(count.data(), count.data() + count.size(), info_.skipped[reason]);
  }
  if (sha256_hex(info_.alphabet_text) != info_.alphabet_hash)
    refuse(name, "its alphabet and the alphabet's hash differ");
  try {
    const Alphabet alphabet = Alphabet::parse(info_.alphabet_text, name, info_.blank);
    if (alphabet.labels().size() == header.labels && alphabet.kind() == header.label_kind) return;
  } catch (const AlphabetError&) {  // said below, as what it means here
  }
  refuse(name, "its alphabet and its header's number or kind of labels differ");
}

// The spoken words: within the vocabulary, their letters within the texts, the last one the last of its node.
void LexiconTrie::parse_spoken(const std::uint8_t* data, const std::string& name) {
  const TrieHeader header = header_at(data);
  TrieSection sections[kPronouncedSections];
  std::memcpy(sections, data + sizeof header, sizeof sections);
  const TrieSection& nodes = header.sections[kNodesSection];
  check_sections(sections, kPronouncedSections, nodes.offset + nodes.size, header.file_bytes, name);
  spoken_ = reinterpret_cast<const SpokenWord*>(data + sections[kSpokenSection].offset);
  texts_ = section_text(data, sections[kTextsSection]);
  const std::uint64_t count = sections[kSpokenSection].size / sizeof(SpokenWord);
  if (count == 0 || count >= UINT32_MAX || sections[kSpokenSection].size % sizeof(SpokenWord) != 0 ||
      header.vocabulary_size > UINT32_MAX) {
    refuse(name, "its section table is damaged");
  }
  std::uint64_t words = 0;
  std::uint32_t alike = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const SpokenWord& one = spoken_[i];
    if (one.word == 0 || one.word >= header.vocabulary_size || one.more > (i + 1 < count ? 1 : 0) ||
        one.bytes == 0 || one.text > texts_.size() || one.bytes > texts_.size() - one.text) {
      refuse(name, "pronunciation " + std::to_string(i) + " is damaged");
    }
    if (one.word >= spoken_words_.size()) spoken_words_.resize(one.word + 1);
    words += spoken_words_[one.word] ? 0 : 1;
    spoken_words_[one.word] = true;
    info_.most_alike = std::max(info_.most_alike, ++alike);
    if (one.more == 0) alike = 0;
  }
  if (words != header.words) refuse_count(name);
  info_.pronunciations = count;
}

std::vector<std::pair<std::string_view, std::vector<int>>> LexiconTrie::pronunciations() const {
  std::vector<std::pair<std::string_view, std::vector<int>>> all;
  if (!pronounced()) return all;
  std::vector<std::pair<std::uint32_t, std::vector<int>>> open{{root(), {}}};
  for (std::size_t i = 0; i < open.size(); ++i) {
    const auto [at, labels] = std::move(open[i]);
    for (std::uint32_t place = word(at); place != 0; place = spoken(place - 1).more == 0 ? 0 : place + 1) {
      all.emplace_back(text(place - 1), labels);
    }
    each_child(at, [&open, &labels = labels](int label, std::uint32_t child) {
      open.emplace_back(child, labels).second.push_back(label);
    });
  }
  return all;
}

std::uint32_t LexiconTrie::find(const std::vector<int>& labels) const {
  std::uint32_t at = root();
  for (const int label : labels) {
    if (label < 0 || label >= static_cast<int>(labels_)) return 0;
    at = step(at, label);
    if (at == kNoNode) return 0;
  }
  return word(at);
}

}  // namespace speechmill
