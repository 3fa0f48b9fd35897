// Arrays as numpy saves them: .npy files, and .npz archives of them (zip members, stored or deflated).
//
// Numbers come out as float whatever they were (float16/32/64, integers up to 64 bits), in row-major order of
// the machine. Refused with a sentence: other types, big-endian numbers, column-major order, object arrays
// (they would need Python), encrypted or otherwise packed members, sizes that do not add up, wrong checksums.
// Knows nothing of what the numbers mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace speechmill {

struct NpyArray {
  std::string name;  // of the file, or of the member without ".npy"
  std::vector<std::size_t> shape;
  std::vector<float> values;  // as many as the shape's product
};

// Parses a .npy file that lies in memory; `name` stands for it in errors. Throws DecodeError.
NpyArray parse_npy(const std::uint8_t* data, std::size_t size, const std::string& name);
// Parses a .npz archive: its .npy members in the archive's order. Throws DecodeError.
std::vector<NpyArray> parse_npz(const std::uint8_t* data, std::size_t size, const std::string& name);
// Reads a .npy or .npz file, told apart by its first bytes. Throws DecodeError with file and cause.
std::vector<NpyArray> read_arrays(const std::string& path);

}  // namespace speechmill
