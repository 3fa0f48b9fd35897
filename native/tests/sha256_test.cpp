#include "hashes/sha256.h"

#include <string>

#include "check.h"

using namespace speechmill;

namespace {

std::string bytes(std::size_t count) {
  std::string made(count, ' ');
  for (std::size_t i = 0; i < count; ++i) made[i] = static_cast<char>(i * i % 251);
  return made;
}

// The examples of FIPS 180-4.
void knows_the_published_sums() {
  CHECK_EQUAL(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK_EQUAL(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK_EQUAL(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

void sums_pieces_as_the_whole() {
  for (const std::size_t count : {1U, 55U, 56U, 63U, 64U, 65U, 119U, 120U, 128U, 1000U}) {
    const std::string whole = bytes(count);
    Sha256 hash;
    for (std::size_t at = 0; at < count; at += 7)
      hash.update(whole.data() + at, std::min<std::size_t>(7, count - at));
    CHECK_EQUAL(hash.hex_digest(), sha256_hex(whole));
  }
}

}  // namespace

int main() {
  return testing::run_tests({{"knows_the_published_sums", knows_the_published_sums},
                             {"sums_pieces_as_the_whole", sums_pieces_as_the_whole}});
}
