// A zip archive of stored members, for tests and fuzz seeds.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace speechmill::testing {

inline void put(std::string* out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) *out += static_cast<char>((value >> (8 * i)) & 255U);
}

inline std::string zip_of(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string archive;
  std::string contents;
  for (const auto& [name, body] : members) {
    const auto check = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
    std::string facts;  // what the local header and the table of contents have in common
    for (const std::uint64_t value : {20U, 0U, 0U, 0U, 0U}) put(&facts, value, 2);
    for (const std::uint64_t value :
         {std::uint64_t{check}, std::uint64_t{body.size()}, std::uint64_t{body.size()}})
      put(&facts, value, 4);
    put(&facts, name.size(), 2);
    put(&facts, 0, 2);
    put(&contents, 0x02014B50, 4);
    put(&contents, 20, 2);
    contents += facts;
    for (int i = 0; i < 3; ++i) put(&contents, 0, 2);
    put(&contents, 0, 4);
    put(&contents, archive.size(), 4);
    contents += name;
    put(&archive, 0x04034B50, 4);
    archive += facts + name + body;
  }
  const std::size_t start = archive.size();
  archive += contents;
  put(&archive, 0x06054B50, 4);
  put(&archive, 0, 4);
  put(&archive, members.size(), 2);
  put(&archive, members.size(), 2);
  put(&archive, contents.size(), 4);
  put(&archive, start, 4);
  put(&archive, 0, 2);
  return archive;
}

}  // namespace speechmill::testing
