// The members of a zip archive that lies in memory, as numpy and the usual tools write it: stored or
// deflated, zip64 included. Not here: encryption, several disks, writing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace speechmill {

struct ZipMember {
  std::string name;
  std::uint16_t method = 0;  // 0 stored, 8 deflated
  std::uint32_t crc32 = 0;
  std::uint64_t packed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t header_offset = 0;  // of the local header
};

// The archive's table of contents, in its order. Throws DecodeError; `name` stands for the archive.
std::vector<ZipMember> zip_members(const std::uint8_t* data, std::size_t size, const std::string& name);
// A member's bytes, checked against its size and checksum. Throws DecodeError.
std::vector<std::uint8_t> zip_extract(const std::uint8_t* data, std::size_t size, const ZipMember& member,
                                      const std::string& name);

}  // namespace speechmill
