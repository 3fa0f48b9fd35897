// Arrays as numpy saves them, in .npy files.
//
// Numbers come out as float whatever they were (float16/32/64, integers up to 64 bits), in row-major order of
// the machine. Refused with a sentence: other types, big-endian numbers, column-major order, object arrays
// (they would need Python), sizes that do not add up, archives (.npz).
// Knows nothing of what the numbers mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace speechmill {

struct NpyArray {
  std::string name;  // of the file
  std::vector<std::size_t> shape;
  std::vector<float> values;  // as many as the shape's product
};

// Parses a .npy file that lies in memory; `name` stands for it in errors. Throws DecodeError.
NpyArray parse_npy(const std::uint8_t* data, std::size_t size, const std::string& name);
// Reads a .npy file. Throws DecodeError with file and cause.
NpyArray read_array(const std::string& path);

}  // namespace speechmill
