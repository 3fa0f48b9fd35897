#include "search/prefix_arena.h"

namespace speechmill {
namespace {

constexpr std::size_t kFirst = 512;  // prefixes that there is room for from the beginning

}  // namespace

void PrefixArena::reset(const WordContext& start) {
  prefixes_.reserve(kFirst);
  slots_.reserve(kFirst);
  contexts_.reserve(kFirst / 2);
  prefixes_.assign(1, Prefix{});
  slots_.assign(1, kNone);
  contexts_.assign(1, start);
  root_context_ = 0;
  many_labels_ = false;
  free_.clear();
  free_contexts_.clear();
  also_.clear();
}

std::uint32_t PrefixArena::add_child(std::uint32_t parent, std::int32_t label) {
  std::uint32_t index;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(prefixes_.size());
    prefixes_.emplace_back();
    slots_.push_back(kNone);
  } else {
    index = free_.back();
    free_.pop_back();
    prefixes_[index] = Prefix{};
    slots_[index] = kNone;
  }
  many_labels_ |= label >= 64;
  Prefix& above = prefixes_[parent];
  Prefix& child = prefixes_[index];
  child.parent = parent;
  child.label = label;
  child.next_sibling = above.first_child;
  above.first_child = index;
  above.children |= std::uint64_t{1} << (static_cast<unsigned>(label) & 63U);
  return index;
}

std::uint32_t PrefixArena::hold(const WordContext& context) {
  std::uint32_t index;
  if (free_contexts_.empty()) {
    index = static_cast<std::uint32_t>(contexts_.size());
    contexts_.push_back(context);
  } else {
    index = free_contexts_.back();
    free_contexts_.pop_back();
    contexts_[index] = context;
  }
  return index;
}

void PrefixArena::set_ended(std::uint32_t prefix, const std::vector<WordContext>& contexts) {
  std::uint32_t next = kNone;
  for (auto context = contexts.rbegin(); context != contexts.rend(); ++context) {
    const std::uint32_t index = hold(*context);
    also_.resize(contexts_.size(), kNone);
    also_[index] = next;
    next = index;
  }
  prefixes_[prefix].ended = next;
}

void PrefixArena::free_ended(std::uint32_t context, std::uint32_t kept) {
  while (context != kNone) {
    const std::uint32_t next = context < also_.size() ? also_[context] : kNone;
    if (context < also_.size()) also_[context] = kNone;
    if (context != kept && context != root_context_) free_contexts_.push_back(context);
    context = next;
  }
}

void PrefixArena::unlink(std::uint32_t prefix) {
  Prefix& above = prefixes_[prefixes_[prefix].parent];
  std::uint32_t* link = &above.first_child;
  bool shared = false;  // by a sibling that wears the same bit
  const auto bit = static_cast<unsigned>(prefixes_[prefix].label) & 63U;
  while (*link != prefix) {
    shared |= (static_cast<unsigned>(prefixes_[*link].label) & 63U) == bit;
    link = &prefixes_[*link].next_sibling;
  }
  *link = prefixes_[prefix].next_sibling;
  for (std::uint32_t rest = many_labels_ ? *link : kNone; rest != kNone;
       rest = prefixes_[rest].next_sibling) {
    shared |= (static_cast<unsigned>(prefixes_[rest].label) & 63U) == bit;
  }
  if (!shared) above.children &= ~(std::uint64_t{1} << bit);
}

void PrefixArena::free_prefix(std::uint32_t prefix) {
  slots_[prefix] = kFreed;
  free_.push_back(prefix);
}

void PrefixArena::release(std::uint32_t prefix) {
  while (prefixes_[prefix].parent != kNone && slots_[prefix] == kNone &&
         prefixes_[prefix].first_child == kNone) {
    const std::uint32_t parent = prefixes_[prefix].parent;
    unlink(prefix);
    free_ended(prefixes_[prefix].ended, kNone);
    free_prefix(prefix);
    prefix = parent;
  }
}

void PrefixArena::set_root(std::uint32_t prefix) {
  Prefix& root = prefixes_[prefix];
  for (std::uint32_t above = root.parent; above != kNone; above = prefixes_[above].parent) {
    free_ended(prefixes_[above].ended, root.context);
    free_prefix(above);
  }
  if (root_context_ != root.context) free_contexts_.push_back(root_context_);
  root_context_ = root.context;
  root.parent = root.next_sibling = kNone;
}

}  // namespace speechmill
