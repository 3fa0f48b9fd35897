// The layout of a lexicon trie file, shared by the code that writes it and the code that verifies it.
//
//   TrieHeader | alphabet text | identity ("key\tvalue\n"…) | skipped ("reason\tcount\n"…) | nodes
// A lexicon of pronunciations has a version of its own: behind the header stand two more entries of the
// section table, and behind the nodes their sections: SpokenWord… | the words' letters. Each section begins
// at a multiple of 64 and the bytes between are zero. Little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "scorer/lexicon_trie.h"

namespace speechmill {

constexpr char kTrieMagic[8] = {'\x89', 'S', 'M', 'T', 'R', 'I', 'E', '\n'};
constexpr std::uint32_t kTrieVersion = 2;
constexpr std::uint32_t kPronouncedVersion = 3;
constexpr std::uint32_t kByteOrderMark = 0x01020304;
constexpr std::uint64_t kSectionAlignment = 64;

enum TrieSectionNumber { kAlphabetSection, kIdentitySection, kSkippedSection, kNodesSection, kTrieSections };
enum PronouncedSectionNumber { kSpokenSection, kTextsSection, kPronouncedSections };

struct TrieSection {
  std::uint64_t offset;  // from the beginning of the file
  std::uint64_t size;    // bytes
};

struct TrieHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t byte_order;
  std::uint32_t header_bytes;
  NodeKind node_kind;
  LabelKind label_kind;
  LmUnit unit;
  std::int32_t blank;
  std::uint32_t labels;  // without the blank
  std::uint32_t lm_order;
  std::uint32_t highest_order;  // that the builder's KenLM could read
  std::uint64_t nodes;
  std::uint64_t words;
  std::uint64_t vocabulary_size;
  std::uint64_t file_bytes;
  std::uint64_t checksum;  // of the whole file with this field zero
  TrieSection sections[kTrieSections];
  char alphabet_hash[64];
  char vocabulary_hash[64];
  char lm_hash[64];
};
static_assert(sizeof(TrieHeader) == 344, "the trie header has no padding");

// xxHash64's mixing (Yann Collet, public specification) over the bytes, seed 0.
std::uint64_t checksum64(const std::uint8_t* data, std::size_t size, std::uint64_t seed = 0);

// Bytes before the first section.
constexpr std::size_t header_bytes(std::uint32_t version) {
  return sizeof(TrieHeader) + (version == kPronouncedVersion ? kPronouncedSections * sizeof(TrieSection) : 0);
}

// The checksum of a trie file in memory: header with a zero checksum field, then the rest.
std::uint64_t trie_checksum(const TrieHeader& header, const std::uint8_t* data, std::size_t size);

}  // namespace speechmill
