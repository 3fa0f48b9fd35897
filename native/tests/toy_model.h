// A toy language model directory in a temporary folder: five words, bigrams, written as ARPA text by hand.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "scorer/alphabet.h"
#include "scorer/lexicon_trie.h"

namespace speechmill::testing {

inline const char* toy_arpa() {
  return "\\data\\\nngram 1=7\nngram "
         "2=4\n\n\\1-grams:\n-1.5\t<unk>\n0\t<s>\t-0.3\n-0.8\t</s>\n-0.7\ta\t-0.2\n"
         "-0.9\tab\t-0.1\n-1.1\tb\t-0.4\n-1.3\tba\t-0.2\n\n\\2-grams:\n-0.2\t<s> a\n-0.4\ta ab\n-0.5\tab "
         "</s>\n-0.3\tb a\n\n"
         "\\end\\\n";
}

inline std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void spit(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// Removed again with its files at the end.
class ToyDirectory {
public:
  ToyDirectory() : alphabet_({" ", "a", "b"}) {
    const char* base = std::getenv("TMPDIR");
    std::string name = std::string(base != nullptr ? base : "/tmp") + "/speechmill-toy-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder: " + name);
    path_ = name;
    spit(path_ + "/lm.binary", toy_arpa());
    alphabet_.save(path_ + "/alphabet.txt");
    info_ = build_lexicon_trie({"a", "ab", "b", "ba", "a", "", "zz", "b a", "bb"},
                               {&alphabet_, path_ + "/lm.binary", {{"normaliser_version", "1"}}},
                               path_ + "/lexicon.trie");
  }
  ~ToyDirectory() {
    for (const char* name : {"/lm.binary", "/alphabet.txt", "/lexicon.trie"})
      ::unlink((path_ + name).c_str());
    ::rmdir(path_.c_str());
  }
  ToyDirectory(const ToyDirectory&) = delete;
  ToyDirectory& operator=(const ToyDirectory&) = delete;

  const std::string& path() const { return path_; }
  const Alphabet& alphabet() const { return alphabet_; }
  const TrieInfo& info() const { return info_; }

private:
  std::string path_;
  Alphabet alphabet_;
  TrieInfo info_;
};

}  // namespace speechmill::testing
