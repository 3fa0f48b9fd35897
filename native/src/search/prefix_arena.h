// The label prefixes a search keeps: a tree in one array, linked by index.
//
// A prefix is live while it is in the beam (its slot is its place there). Prefixes that are not live stay
// only as long as a longer live prefix hangs on them; the rest is freed at once, so memory and time do not
// grow with the audio, and nothing ever walks over dead ancestors. A prefix that falls out of the beam and
// comes back while it has descendants is the same prefix again, so that no text is ever in the beam twice.
//
// Children are found by a 64-bit mask first (bit = label mod 64: clear means there is none) and then by a
// short list. Not here: scores, pruning.
#pragma once

#include <cstdint>
#include <vector>

#include "scorer/language_model.h"

namespace speechmill {

constexpr std::uint32_t kNone = UINT32_MAX;
constexpr std::uint32_t kFreed = UINT32_MAX - 1;  // slot of a prefix that was given back

struct Prefix {
  std::uint32_t parent = kNone;
  std::uint32_t first_child = kNone;
  std::uint32_t next_sibling = kNone;
  std::uint32_t letters = 0;    // of the word being spelled
  std::uint64_t children = 0;   // labels of the children, mod 64
  std::int32_t label = -1;      // label number; -1 at the root
  std::uint32_t trie = 0;       // lexicon node; the root between words
  std::uint32_t context = 0;    // words before the one being spelled (owned by the prefix that ended them)
  std::uint32_t ended = kNone;  // context after this prefix' own word, once somebody asked; owned
  std::uint32_t hot_state = 0;  // of the hot words' automaton
  float hot_earned = 0.0F;      // boosts of the phrases completed so far
};

constexpr float kNotAsked = 1.0F;  // no logarithm of a probability

// What the language model knows after the last complete word.
struct WordContext {
  LmState state;
  double lm = 0.0;                    // ln P_lm of the words so far, unweighted
  std::uint32_t words = 0;            // how many
  std::uint32_t unknown = 0;          // how many of them the lexicon lacks
  std::uint32_t unknown_letters = 0;  // labels in those
  float unknown_lm = kNotAsked;       // ln P of an unknown word next, once somebody asked
};

class PrefixArena {
public:
  // Empties the arena but for the root (index 0) and its context (index 0).
  void reset(const WordContext& start);

  Prefix& operator[](std::uint32_t index) { return prefixes_[index]; }
  const Prefix& operator[](std::uint32_t index) const { return prefixes_[index]; }
  const WordContext& context(std::uint32_t index) const { return contexts_[index]; }
  WordContext& context(std::uint32_t index) { return contexts_[index]; }
  // Place in the beam, kNone when not live.
  std::uint32_t slot(std::uint32_t index) const { return slots_[index]; }
  void set_slot(std::uint32_t index, std::uint32_t slot) { slots_[index] = slot; }

  // The child of `parent` by `label`, or kNone.
  std::uint32_t find_child(std::uint32_t parent, std::int32_t label) const {
    if (((prefixes_[parent].children >> (static_cast<unsigned>(label) & 63U)) & 1U) == 0) return kNone;
    std::uint32_t child = prefixes_[parent].first_child;
    while (child != kNone && prefixes_[child].label != label) child = prefixes_[child].next_sibling;
    return child;
  }

  std::uint32_t add_child(std::uint32_t parent, std::int32_t label);
  // Stores the context after the word that `prefix` ends.
  void set_ended(std::uint32_t prefix, const WordContext& context) {
    prefixes_[prefix].ended = hold(context);
  }
  // The same where several words may end, and which of them comes at a place in their order.
  void set_ended(std::uint32_t prefix, const std::vector<WordContext>& contexts);
  std::uint32_t ended(std::uint32_t prefix, std::uint32_t place) const {
    std::uint32_t context = prefixes_[prefix].ended;
    for (; place > 0; --place) context = also_[context];
    return context;
  }
  // Frees `prefix` and its ancestors as far as they are neither live nor needed. The root always stays, and a
  // prefix that was freed already (as the ancestor of another) is left alone.
  void release(std::uint32_t prefix);
  // Makes `prefix` the root and frees everything above it; nothing else may hang there.
  void set_root(std::uint32_t prefix);

  // Prefixes in use, for tests of the memory bound.
  std::size_t used() const { return prefixes_.size() - free_.size(); }

private:
  void unlink(std::uint32_t prefix);
  void free_prefix(std::uint32_t prefix);
  std::uint32_t hold(const WordContext& context);
  // Gives back the contexts of the words that a prefix ended, but for that of the root and a root to be.
  void free_ended(std::uint32_t context, std::uint32_t kept);

  std::vector<Prefix> prefixes_;
  std::vector<std::uint32_t> slots_;  // apart from the prefixes: asked for far more often
  std::vector<WordContext> contexts_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> free_contexts_;
  std::vector<std::uint32_t> also_;  // by context: that of the next word that the same prefix ends, or kNone
  std::uint32_t root_context_ = 0;   // owned by the root
  bool many_labels_ = false;         // two labels may wear the same bit
};

}  // namespace speechmill
