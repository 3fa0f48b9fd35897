// Whether a KenLM binary may be mapped: KenLM believes every number in it, so that one wrong byte reads
// outside the file or never ends. Looks at header, counts and sizes, at every pointer of a trie, at every
// word and for the end of every chain of a hash table, and at every probability that can be reached. What is
// right in form but wrong in content (a probability of another word) cannot be seen here; hashes see it.
#pragma once

#include <string>

namespace speechmill {

// Throws ScorerError with file, place and value. A file that is no KenLM binary passes, unless it begins as
// ARPA and promises more n-grams than it has bytes: KenLM's parser, which reads or refuses it, asks for their
// memory first.
void check_kenlm_binary(const std::string& path);

}  // namespace speechmill
