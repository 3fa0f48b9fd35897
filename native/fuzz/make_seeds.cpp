// Writes valid inputs for the fuzz targets, each into the folder of its target: make_seeds FOLDER. From valid
// files a mutation reaches the checks behind the header.
#include <sys/stat.h>

#include <cstring>
#include <iostream>
#include <lm/model.hh>
#include <string>
#include <vector>

#include "flac/encoder.h"
#include "toy_model.h"

namespace {

using speechmill::testing::spit;
using speechmill::testing::toy_arpa;

std::string npy(const std::string& type, const std::string& shape, const std::string& body) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
  return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0' + header + body;
}

std::string rows(std::size_t frames) {
  std::vector<float> values;
  for (std::size_t i = 0; i < 4 * frames; ++i) values.push_back(-0.1F - static_cast<float>(i * i % 5));
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// The model of an ARPA file as a KenLM binary of each kind.
template <class Model>
void write_binary(const std::string& arpa, const std::string& path) {
  lm::ngram::Config config;
  config.show_progress = false;
  config.messages = nullptr;
  config.write_mmap = path.c_str();
  config.temporary_directory_prefix = path;
  const Model model(arpa.c_str(), config);
}

void write_binaries(const std::string& arpa, const std::string& folder) {
  write_binary<lm::ngram::ProbingModel>(arpa, folder + "/seed-probing");
  write_binary<lm::ngram::RestProbingModel>(arpa, folder + "/seed-rest");
  write_binary<lm::ngram::TrieModel>(arpa, folder + "/seed-trie");
  write_binary<lm::ngram::QuantTrieModel>(arpa, folder + "/seed-quantised");
  write_binary<lm::ngram::ArrayTrieModel>(arpa, folder + "/seed-array");
  write_binary<lm::ngram::QuantArrayTrieModel>(arpa, folder + "/seed-both");
}

}  // namespace

int main(int count, char** arguments) {
  using namespace speechmill;
  if (count != 2) {
    std::cerr << "usage: make_seeds FOLDER\n";
    return 2;
  }
  const auto folder = [&](const char* target) {
    const std::string path = std::string(arguments[1]) + "/" + target;
    ::mkdir(path.c_str(), 0777);
    return path;
  };
  const testing::ToyDirectory toy;
  const std::string tries = folder("fuzz_lexicon_trie");
  spit(tries + "/seed-bitmap", testing::slurp(toy.path() + "/lexicon.trie"));
  TrieBuild build{&toy.alphabet(), toy.path() + "/lm.binary", {}};
  build.node_kind = NodeKind::kSorted;
  build_lexicon_trie({"a", "ab", "b", "ba"}, build, tries + "/seed-sorted");
  const std::vector<std::vector<std::string>> said = {{"a"}, {"a"}, {"b", "a"}, {"b"}, {"b", "a"}};
  build.pronunciations = &said;
  build_lexicon_trie({"a", "ab", "b", "b", "ba"}, build, tries + "/seed-pronounced");
  const std::string arrays = folder("fuzz_npy");
  spit(arrays + "/seed-npy", npy("<f4", "(5, 4)", rows(5)));
  spit(arrays + "/seed-half", npy("<f2", "(4,)", "12345678"));
  spit(folder("fuzz_decode") + "/seed", std::string("\x04\x01", 2) + rows(12));
  const std::string batches = folder("fuzz_batch");
  for (const char with : {'\0', '\1'}) {
    std::string header("\1\1\1\xff\4\1\x50", 7);
    spit(batches + "/seed-" + std::to_string(with), header + with + rows(12));
  }
  std::string sound(4, '\2');  // 16 kHz, and samples of all loudnesses
  for (std::uint32_t i = 0, at = 1; i < 30000; ++i) {
    at = at * 1664525U + 1013904223U;
    const int loud = 1 << (i / 1500 % 16);
    const auto sample = static_cast<std::int16_t>(static_cast<int>(at >> 16) % (2 * loud) - loud);
    sound.append(reinterpret_cast<const char*>(&sample), sizeof sample);
  }
  spit(folder("fuzz_sound") + "/seed", sound);
  const std::string models = folder("fuzz_language_model");
  spit(models + "/seed-arpa", toy_arpa());
  write_binaries(toy.path() + "/lm.binary", models);
  spit(folder("fuzz_text") + "/seed",
       "\1Mr. Dale met J. Smith. \"Who?\" some-\nthing <b>odd</b> 3 caf\xC3\xA9 \xFF");
  spit(folder("fuzz_features") + "/seed", std::string("\0\0\2\x50\x28\x1a\2", 7) + sound);
  spit(folder("fuzz_settings") + "/seed", std::string(600, '\x15'));
  const std::string alphabets = folder("fuzz_alphabet");
  spit(alphabets + "/seed", testing::slurp(toy.path() + "/alphabet.txt"));
  spit(alphabets + "/seed-bytes", Alphabet::bytes().canonical());
  const std::string mark(kBeginMark);
  spit(alphabets + "/seed-pieces",
       Alphabet::of_pieces({"<unk>", mark, mark + "a", "b"}, PieceMark::kBegin).canonical());
  spit(alphabets + "/seed-continued",
       Alphabet::of_pieces({"[UNK]", "a", "##b"}, PieceMark::kContinue).canonical());
  std::string to_encode(1, '\2');
  for (unsigned i = 0; i < 3000; ++i) to_encode += static_cast<char>(i * i >> 9);
  spit(folder("fuzz_flac_encoder") + "/seed", to_encode);
  std::vector<std::int16_t> samples;
  for (int i = 0; i < 2000; ++i) samples.push_back(static_cast<std::int16_t>(i * i * 7 % 3001));
  const std::vector<std::uint8_t> flac = encode_flac(samples.data(), samples.size(), 16000);
  spit(folder("fuzz_flac") + "/seed", std::string(flac.begin(), flac.end()));
  return 0;
}
