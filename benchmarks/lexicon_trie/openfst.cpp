// The same words in OpenFST.  openfst WORDS VARIANT FILE ROUNDS → one line of JSON
// VARIANT minimal: a chain of arcs per word, then epsilon removal, determinisation and minimisation, as lexicons of
// CTC decoders are commonly made; prefix: the prefix tree itself, which is OpenFST's quickest way to the same answers.
#include <fst/fstlib.h>

#include <cstdio>
#include <cstdlib>

#include "clock.h"

namespace {

using Constant = fst::ConstFst<fst::StdArc>;

int label_of(char letter) { return static_cast<unsigned char>(letter) + 1; }

fst::StdVectorFst chains(const std::vector<std::string>& words) {
  fst::StdVectorFst all;
  all.SetStart(all.AddState());
  for (const std::string& word : words) {
    int at = all.Start();
    for (const char letter : word) {
      const int next = all.AddState();
      all.AddArc(at, {label_of(letter), label_of(letter), 0, next});
      at = next;
    }
    all.SetFinal(at, 0);
  }
  return all;
}

fst::StdVectorFst minimal(const std::vector<std::string>& words) {
  fst::StdVectorFst all = chains(words);
  fst::RmEpsilon(&all);
  fst::StdVectorFst determined;
  fst::Determinize(all, &determined);
  fst::Minimize(&determined);
  return determined;
}

// Words come sorted, so the states of the word before are the only ones that a word can share.
fst::StdVectorFst prefix_tree(const std::vector<std::string>& words) {
  fst::StdVectorFst all;
  std::vector<int> path(1, all.AddState());
  all.SetStart(path[0]);
  std::string before;
  for (const std::string& word : words) {
    std::size_t shared = 0;
    while (shared < word.size() && shared < before.size() && word[shared] == before[shared]) ++shared;
    path.resize(shared + 1);
    for (std::size_t i = shared; i < word.size(); ++i) {
      const int next = all.AddState();
      all.AddArc(path.back(), {label_of(word[i]), label_of(word[i]), 0, next});
      path.push_back(next);
    }
    all.SetFinal(path.back(), 0);
    before = word;
  }
  return all;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) return 2;
  const std::vector<std::string> words = read_words(arguments[1]);
  const double began = cpu_s();
  fst::StdVectorFst built = std::string(arguments[2]) == "minimal" ? minimal(words) : prefix_tree(words);
  fst::ArcSort(&built, fst::ILabelCompare<fst::StdArc>());
  const Constant lexicon(built);
  if (!lexicon.Write(arguments[3])) return 1;
  const double done = cpu_s();
  std::size_t steps = 0;
  const std::vector<std::string> order = walk_order(words);
  for (const std::string& word : order) steps += word.size();
  std::printf("{\"words\": %zu, \"nodes\": %d, \"build_s\": %.4f, \"steps\": %zu, \"walks_s\": [", words.size(),
              lexicon.NumStates(), done - began, steps);
  fst::SortedMatcher<Constant> matcher(lexicon, fst::MATCH_INPUT);
  for (int round = std::atoi(arguments[4]); round > 0; --round) {
    const double start = cpu_s();
    std::size_t found = 0;
    for (const std::string& word : order) {
      int at = lexicon.Start();
      for (const char letter : word) {
        matcher.SetState(at);
        if (!matcher.Find(label_of(letter))) break;
        at = matcher.Value().nextstate;
      }
      found += lexicon.Final(at) != fst::TropicalWeight::Zero() ? 1 : 0;
    }
    std::printf("%.6f%s", cpu_s() - start, round > 1 ? ", " : "]");
    if (found != words.size()) return 1;
  }
  std::printf("}\n");
  return 0;
}
