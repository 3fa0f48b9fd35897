#include "programs/npy.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace speechmill {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMostDimensions = 8;

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw DecodeError(name + ": " + what);
}

// The value of a key in the header, a Python dictionary of fixed keys: what stands between `'key':` and the
// comma or bracket that ends it.
std::string_view value_of(std::string_view header, const std::string& key, const std::string& name) {
  const std::size_t found = header.find("'" + key + "'");
  const std::size_t colon = found == std::string_view::npos ? found : header.find(':', found);
  if (colon == std::string_view::npos) fail(name, "the header has no " + key + "; is it a .npy file?");
  std::string_view rest = header.substr(colon + 1);
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  const bool tuple = !rest.empty() && rest.front() == '(';
  const std::size_t end = tuple ? rest.find(')') : rest.find_first_of(",}");
  if (end == std::string_view::npos) fail(name, "the header's " + key + " does not end");
  rest = rest.substr(tuple ? 1 : 0, end - (tuple ? 1 : 0));
  while (!rest.empty() && rest.back() == ' ') rest.remove_suffix(1);
  return rest;
}

std::vector<std::size_t> parse_shape(std::string_view text, const std::string& name) {
  std::vector<std::size_t> shape;
  std::size_t i = 0;
  while (i < text.size()) {
    if (text[i] == ' ' || text[i] == ',' || text[i] == 'L') {
      ++i;
      continue;
    }
    std::size_t size = 0;
    const std::size_t start = i;
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
      if (size > (std::numeric_limits<std::size_t>::max() >> 8U)) fail(name, "the shape is impossibly large");
      size = 10 * size + static_cast<std::size_t>(text[i] - '0');
    }
    if (i == start || shape.size() == kMostDimensions) {
      fail(name, "the shape (" + std::string(text) + ") is not one of up to 8 sizes");
    }
    shape.push_back(size);
  }
  return shape;
}

float half_to_float(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 31) {
    return fraction != 0 ? std::numeric_limits<float>::quiet_NaN()
                         : sign * std::numeric_limits<float>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
}

template <class T, class Convert>
void convert(const std::uint8_t* data, std::vector<float>* values, const Convert& to_float) {
  for (std::size_t i = 0; i < values->size(); ++i) {
    T value;
    std::memcpy(&value, data + i * sizeof(T), sizeof(T));
    (*values)[i] = to_float(value);
  }
}

template <class T>
void convert(const std::uint8_t* data, std::vector<float>* values) {
  convert<T>(data, values, [](T value) { return static_cast<float>(value); });
}

// How a type is read: bytes per number and the function that reads them.
struct Reader {
  std::size_t bytes;
  void (*read)(const std::uint8_t*, std::vector<float>*);
};

// A double beyond float's range would be undefined as a float; it becomes infinite.
float narrow(double value) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  if (value > kLargest) return std::numeric_limits<float>::infinity();
  if (value < -kLargest) return -std::numeric_limits<float>::infinity();
  return static_cast<float>(value);
}

Reader reader_of(std::string_view type, const std::string& name) {
  if (type == "<f4") return {4, [](const std::uint8_t* d, std::vector<float>* v) { convert<float>(d, v); }};
  if (type == "<f8")
    return {8, [](const std::uint8_t* d, std::vector<float>* v) { convert<double>(d, v, narrow); }};
  if (type == "<f2")
    return {
        2, [](const std::uint8_t* d, std::vector<float>* v) { convert<std::uint16_t>(d, v, half_to_float); }};
  if (type == "<i4")
    return {4, [](const std::uint8_t* d, std::vector<float>* v) { convert<std::int32_t>(d, v); }};
  if (type == "<i8")
    return {8, [](const std::uint8_t* d, std::vector<float>* v) { convert<std::int64_t>(d, v); }};
  fail(name, "numbers of type " + std::string(type) +
                 " cannot be read; save float32 (or float16, float64, int32, int64), little-endian");
}

}  // namespace

NpyArray parse_npy(const std::uint8_t* data, std::size_t size, const std::string& name) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.substr(0, 2) == "PK")
    fail(name, "is an archive (.npz); save each array by numpy.save, as a .npy file");
  if (size < 10 || bytes.substr(0, kMagic.size()) != kMagic) fail(name, "not a .npy file");
  const int version = data[6];
  if (version < 1 || version > 3) fail(name, ".npy format " + std::to_string(version) + " is not known");
  const std::size_t start = version == 1 ? 10 : 12;
  if (size < start) fail(name, "cut off inside the header");
  std::size_t length = data[8] + 256U * data[9];
  if (version > 1) length += 65536U * data[10] + (std::size_t{data[11]} << 24U);
  if (length > size - start) fail(name, "cut off inside the header");
  const std::string_view header = bytes.substr(start, length);

  std::string_view type = value_of(header, "descr", name);
  if (type.size() < 2 || type.front() != '\'') fail(name, "holds records, not numbers");
  type = type.substr(1, type.size() - 2);
  const Reader reader = reader_of(type, name);
  NpyArray array{name, parse_shape(value_of(header, "shape", name), name), {}};
  if (value_of(header, "fortran_order", name) != "False" && array.shape.size() > 1) {
    fail(name, "is in column-major order; save numpy.ascontiguousarray(…)");
  }
  const std::size_t available = (size - start - length) / reader.bytes;
  std::size_t count = 1;
  for (const std::size_t side : array.shape) {
    if (side != 0 && count > available / side) {
      fail(name, "cut off: the shape needs more than the " + std::to_string(available) + " numbers it holds");
    }
    count *= side;
  }
  if (count > available) fail(name, "cut off: it holds no number");
  array.values.resize(count);
  reader.read(data + start + length, &array.values);
  return array;
}

NpyArray read_array(const std::string& path) {
  try {
    const MappedFile file(path);
    return parse_npy(file.data(), file.size(), path);
  } catch (const DecodeError&) {
    throw;
  } catch (const std::exception& failure) {
    throw DecodeError(failure.what());
  }
}

}  // namespace speechmill
