// Arrays as numpy writes them, and every way in which a file can be wrong. The other
// types are checked against numpy itself in tests/native/test_decode_program.py.
#include "programs/npy.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "check.h"

namespace {

using namespace speechmill;

std::string npy(const std::string& type, const std::string& shape, const std::string& body,
                const std::string& order = "False") {
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  header.resize((header.size() + 10 + 64) / 64 * 64 - 11, ' ');
  header += '\n';
  std::string file = "\x93NUMPY";
  file += '\x01';
  file += '\0';
  file += static_cast<char>(header.size() & 255U);
  file += static_cast<char>(header.size() >> 8U);
  return file + header + body;
}

template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

NpyArray parse(const std::string& bytes) {
  return parse_npy(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), "x.npy");
}

void types_become_float() {
  const NpyArray floats = parse(npy("<f4", "(2, 3)", raw<float>({-1, -2, -3, -4, -5, -6})));
  CHECK_EQUAL(floats.shape.size(), 2U);
  CHECK_EQUAL(floats.shape[1], 3U);
  CHECK_EQUAL(floats.values[5], -6.0F);
  CHECK_EQUAL(parse(npy("<f8", "(2,)", raw<double>({0.5, -1e300}))).values[0], 0.5F);
  CHECK_EQUAL(parse(npy("<f8", "(2,)", raw<double>({0.5, -1e300}))).values[1],
              -std::numeric_limits<float>::infinity());
  const NpyArray half =
      parse(npy("<f2", "(5,)", raw<std::uint16_t>({0xC000, 0x3555, 0xFC00, 0x0001, 0x7E00})));
  CHECK_EQUAL(half.values[0], -2.0F);
  CHECK_NEAR(half.values[1], 0.33325195, 1e-8);
  CHECK_EQUAL(half.values[2], -std::numeric_limits<float>::infinity());
  CHECK_NEAR(half.values[3], 5.9604645e-8, 1e-15);
  CHECK(std::isnan(half.values[4]));
  CHECK_EQUAL(parse(npy("<i4", "(1,)", raw<std::int32_t>({-7}))).values[0], -7.0F);
  CHECK_EQUAL(parse(npy("<i8", "(1,)", raw<std::int64_t>({1 << 20}))).values[0], 1048576.0F);
}

void empty_shapes_and_scalars() {
  CHECK_EQUAL(parse(npy("<f4", "()", raw<float>({3}))).values.size(), 1U);
  CHECK_EQUAL(parse(npy("<f4", "(0, 29)", "")).values.size(), 0U);
}

void what_cannot_be_read_is_said() {
  const std::string good = npy("<f4", "(2, 3)", raw<float>({1, 2, 3, 4, 5, 6}));
  CHECK_THROWS(DecodeError, parse("hello"), "x.npy", "not a .npy");
  CHECK_THROWS(DecodeError, parse("PK\3\4archive"), "x.npy", "numpy.save");
  CHECK_THROWS(DecodeError, parse(good.substr(0, 40)), "inside the header");
  CHECK_THROWS(DecodeError, parse(good.substr(0, good.size() - 1)), "cut off", "5 numbers");
  CHECK_THROWS(DecodeError, parse(npy(">f4", "(1,)", raw<float>({1}))), ">f4", "little-endian");
  CHECK_THROWS(DecodeError, parse(npy("|O", "(1,)", "xxxxxxxx")), "|O");
  CHECK_THROWS(DecodeError, parse(npy("<f4", "(1, 1)", raw<float>({1}), "True")), "column-major");
  CHECK_THROWS(DecodeError, parse(npy("<f4", "(x,)", "")), "shape");
  CHECK_THROWS(DecodeError, parse(npy("<f4", "(99999999999999999999999,)", "")), "impossibly large");
  CHECK_THROWS(DecodeError, parse(npy("<f4", "(4294967296, 4294967296)", "")), "cut off");
}

}  // namespace

int main() {
  return testing::run_tests({{"types_become_float", types_become_float},
                             {"empty_shapes_and_scalars", empty_shapes_and_scalars},
                             {"what_cannot_be_read_is_said", what_cannot_be_read_is_said}});
}
