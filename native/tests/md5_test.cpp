#include "hashes/md5.h"

#include <vector>

#include "check.h"

using namespace speechmill;

namespace {

std::string md5_hex(const Md5Digest& digest) {
  static const char digits[] = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t byte : digest) hex += {digits[byte >> 4], digits[byte & 15]};
  return hex;
}

std::string hex_of(const std::string& text) {
  Md5 sum;
  sum.update(text.data(), text.size());
  return md5_hex(sum.digest());
}

std::string text_of(std::size_t size, std::uint32_t seed) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    seed = seed * 1664525 + 1013904223;
    text += static_cast<char>(seed >> 24);
  }
  return text;
}

// RFC 1321, A.5.
void known_sums() {
  CHECK_EQUAL(hex_of(""), "d41d8cd98f00b204e9800998ecf8427e");
  CHECK_EQUAL(hex_of("a"), "0cc175b9c0f1b6a831c399e269772661");
  CHECK_EQUAL(hex_of("abc"), "900150983cd24fb0d6963f7d28e17f72");
  CHECK_EQUAL(hex_of("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
  CHECK_EQUAL(hex_of("abcdefghijklmnopqrstuvwxyz"), "c3fcd3d76192e4007dfb496cca67e13b");
  CHECK_EQUAL(hex_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
              "d174ab98d277d9f5a5611c2c9f419d9f");
  CHECK_EQUAL(hex_of("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
              "57edf4a22be3c955ac49da2e2107b67a");
}

void pieces_make_the_whole() {
  const std::string text = text_of(200, 7);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Md5 sum;
    sum.update(text.data(), cut);
    sum.update(text.data() + cut, text.size() - cut);
    CHECK_EQUAL(md5_hex(sum.digest()), hex_of(text));
  }
}

void side_by_side_is_the_same() {
  for (const std::size_t count : {0U, 1U, 2U, 7U, 8U, 9U, 40U, 140U}) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i) texts.push_back(text_of(i * (i % 3 == 0 ? 1 : 97) % 3001, 5));
    std::vector<Md5Message> messages;
    for (const std::string& text : texts) {
      messages.push_back({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    }
    std::vector<Md5Digest> digests(count);
    md5_many(messages.data(), count, digests.data());
    for (std::size_t i = 0; i < count; ++i) CHECK_EQUAL(md5_hex(digests[i]), hex_of(texts[i]));
  }
}

}  // namespace

int main() {
  return testing::run_tests({{"known_sums", known_sums},
                             {"pieces_make_the_whole", pieces_make_the_whole},
                             {"side_by_side_is_the_same", side_by_side_is_the_same}});
}
