#include "scorer/alphabet.h"

#include "base/error.h"
#include "check.h"
#include "hashes/sha256.h"

using namespace speechmill;

namespace {

void hashes_known_answers() {
  CHECK_EQUAL(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK_EQUAL(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK_EQUAL(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  Sha256 million;
  for (int i = 0; i < 1000; ++i) million.update(std::string(1000, 'a'));
  CHECK_EQUAL(million.hex_digest(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

void blank_stands_anywhere() {
  for (int blank = 0; blank <= 3; ++blank) {
    const Alphabet alphabet({" ", "a", "b"}, blank);
    CHECK_EQUAL(alphabet.blank(), blank);
    CHECK_EQUAL(alphabet.size(), 4U);
    CHECK_EQUAL(alphabet.decode(alphabet.encode("a b")), "a b");
    for (const int id : alphabet.encode("a b")) CHECK(id != blank);
    for (int label = 0; label < 3; ++label) CHECK_EQUAL(alphabet.label_of(alphabet.output_of(label)), label);
  }
  CHECK_EQUAL(Alphabet({"a"}).blank(), 1);
  CHECK_THROWS(AlphabetError, Alphabet({"a"}, 2), "blank 2", "2 outputs");
  CHECK_THROWS(AlphabetError, Alphabet({"a"}, -2), "blank -2");
}

void reads_the_file_format() {
  const Alphabet alphabet =
      Alphabet::parse("\xEF\xBB\xBF# a comment\r\n \r\n\r\na\r\n\\#\r\n\xC3\xA9", "x.txt");
  CHECK_EQUAL(alphabet.labels().size(), 4U);
  CHECK_EQUAL(alphabet.labels()[0], " ");
  CHECK_EQUAL(alphabet.labels()[2], "#");
  CHECK_EQUAL(alphabet.labels()[3], "\xC3\xA9");
  CHECK_EQUAL(alphabet.canonical(), " \na\n\\#\n\xC3\xA9\n");
  CHECK_EQUAL(alphabet.hash(), sha256_hex(alphabet.canonical()));
  CHECK_THROWS(AlphabetError, Alphabet::parse("a\nb\na\n", "x.txt"), "x.txt, line 3", "line 1");
  CHECK_THROWS(AlphabetError, Alphabet::parse("a\n\xFF\n", "x.txt"), "line 2", "UTF-8");
  CHECK_THROWS(AlphabetError, Alphabet::parse("a\n\xEF\xBB\xBFq\n", "x.txt"), "byte-order mark");
  CHECK_THROWS(AlphabetError, Alphabet::parse("# only\n", "x.txt"), "no label");
  CHECK_THROWS(AlphabetError, Alphabet::load("/nowhere/alphabet.txt"), "/nowhere/alphabet.txt");
}

void names_the_character_outside() {
  const Alphabet alphabet({" ", "a", "b"});
  CHECK_THROWS(AlphabetError, alphabet.encode("a \xC3\xAF"), "\xC3\xAF", "U+00EF", "byte 2");
  CHECK_THROWS(AlphabetError, alphabet.encode("a\xFF"), "byte 1", "UTF-8");
  CHECK_THROWS(AlphabetError, alphabet.decode({3}), "blank");
  CHECK_THROWS(AlphabetError, alphabet.decode({7}), "7");
  std::vector<int> ids;
  CHECK(!alphabet.try_encode("ac", &ids));
}

void takes_the_longest_label() {
  const Alphabet alphabet({"s", "c", "h", "sch"});
  CHECK_EQUAL(alphabet.encode("schs").size(), 2U);
  CHECK_EQUAL(alphabet.encode("sc").size(), 2U);
  CHECK_THROWS(AlphabetError, Alphabet({"a", "a"}), "twice");
  CHECK_THROWS(AlphabetError, Alphabet({""}), "empty");
}

void pieces_say_where_words_begin() {
  const std::string mark(kBeginMark);
  const std::vector<std::string> labels = {"<unk>", mark + "the", mark, "ca",
                                           "t",     mark + "c",   "a",  "\xC3\xA9"};
  const Alphabet alphabet = Alphabet::of_pieces(labels, PieceMark::kBegin, 0);
  CHECK(alphabet.kind() == LabelKind::kPieces);
  CHECK_EQUAL(alphabet.space(), 3);
  CHECK(alphabet.begins_word(2) && !alphabet.begins_word(3) && !alphabet.begins_word(4) &&
        !alphabet.begins_word(0));
  CHECK(!alphabet.pieces()[0].written);
  CHECK_EQUAL(alphabet.spelling().canonical(), " \na\nc\ne\nh\nt\n\xC3\xA9\n");
  CHECK(alphabet.encode("the cat") ==
        std::vector<int>({2, 6, 7, 5}));  // fewest pieces, then no space of its own
  CHECK_EQUAL(alphabet.decode({2, 3, 4, 5}), "the cat");
  CHECK_EQUAL(alphabet.decode({4, 3, 3, 2, 1, 5, 3}), "ca thet");
  CHECK_THROWS(AlphabetError, alphabet.encode("the cad"), "\"d\"", "byte 6");
  const Alphabet again = Alphabet::parse(alphabet.canonical(), "x.txt", 0);
  CHECK(again.labels() == labels && again.kind() == LabelKind::kPieces);
  CHECK_EQUAL(again.hash(), alphabet.hash());
  CHECK(again.hash() != Alphabet(labels).hash());
  CHECK_THROWS(AlphabetError, Alphabet::of_pieces({mark + "of" + mark + "the"}, PieceMark::kBegin), "label 0",
               "several words");
  CHECK_THROWS(AlphabetError, Alphabet::of_pieces({"a b"}, PieceMark::kBegin), "blank");
  CHECK_THROWS(AlphabetError, Alphabet::of_pieces({"<unk>", mark}, PieceMark::kBegin), "no piece");
}

void pieces_may_say_where_words_go_on() {
  const Alphabet alphabet =
      Alphabet::of_pieces({"un", "##able", "##a", "able", "[CLS]", "##"}, PieceMark::kContinue);
  CHECK_EQUAL(alphabet.space(), -1);
  CHECK(!alphabet.is_unspaced());
  CHECK_EQUAL(alphabet.decode({0, 1, 4, 3, 2}), "unable ablea");
  CHECK(alphabet.encode("unable able") == std::vector<int>({0, 1, 3}));
  CHECK_EQUAL(alphabet.pieces()[5].letters, "##");
  CHECK_EQUAL(Alphabet::parse(alphabet.canonical(), "x.txt").hash(), alphabet.hash());
}

}  // namespace

int main() {
  return testing::run_tests({{"hashes_known_answers", hashes_known_answers},
                             {"blank_stands_anywhere", blank_stands_anywhere},
                             {"reads_the_file_format", reads_the_file_format},
                             {"names_the_character_outside", names_the_character_outside},
                             {"takes_the_longest_label", takes_the_longest_label},
                             {"pieces_say_where_words_begin", pieces_say_where_words_begin},
                             {"pieces_may_say_where_words_go_on", pieces_may_say_where_words_go_on}});
}
