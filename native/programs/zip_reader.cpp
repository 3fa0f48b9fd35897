#include "programs/zip_reader.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace speechmill {
namespace {

constexpr std::uint32_t kEnd = 0x06054B50;
constexpr std::uint32_t kEnd64 = 0x06064B50;
constexpr std::uint32_t kEnd64Locator = 0x07064B50;
constexpr std::uint32_t kEntry = 0x02014B50;
constexpr std::uint32_t kLocal = 0x04034B50;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kEnd64LocatorBytes = 20;
constexpr std::size_t kEntryBytes = 46;
constexpr std::size_t kLocalBytes = 30;
constexpr std::uint16_t kEncrypted = 1;
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint32_t kSee64 = UINT32_MAX;  // "the number is in the zip64 part"
// Deflate packs 258 bytes into two bits at best, so a member that claims more than this is lying.
constexpr std::uint64_t kMostPacking = 1040;

// Little-endian numbers at places that are checked.
class Bytes {
public:
  Bytes(const std::uint8_t* data, std::size_t size, const std::string& name)
      : data_(data), size_(size), name_(name) {}

  template <class T>
  T number(std::uint64_t offset) const {
    need(offset, sizeof(T));
    T value;
    std::memcpy(&value, data_ + offset, sizeof value);
    return value;
  }
  const std::uint8_t* at(std::uint64_t offset, std::uint64_t size) const {
    need(offset, size);
    return data_ + offset;
  }
  std::size_t size() const { return size_; }
  [[noreturn]] void fail(const std::string& what) const { throw DecodeError(name_ + ": " + what); }

private:
  void need(std::uint64_t offset, std::uint64_t size) const {
    if (offset > size_ || size > size_ - offset) {
      fail("the archive points to byte " + std::to_string(offset) + " of " + std::to_string(size_) +
           "; it is damaged or was not copied in full");
    }
  }

  const std::uint8_t* data_;
  std::size_t size_;
  const std::string& name_;
};

struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t offset = 0;
};

Directory find_directory(const Bytes& bytes) {
  const std::size_t lowest = bytes.size() > kEndBytes + 65535 ? bytes.size() - kEndBytes - 65535 : 0;
  if (bytes.size() < kEndBytes) bytes.fail("too short for a zip archive");
  for (std::size_t place = bytes.size() - kEndBytes + 1; place-- > lowest;) {
    if (bytes.number<std::uint32_t>(place) != kEnd) continue;
    Directory found{bytes.number<std::uint16_t>(place + 10), bytes.number<std::uint32_t>(place + 16)};
    if (found.entries != UINT16_MAX && found.offset != kSee64) return found;
    if (place < kEnd64LocatorBytes) return found;
    const std::size_t locator = place - kEnd64LocatorBytes;
    if (bytes.number<std::uint32_t>(locator) != kEnd64Locator) return found;
    const auto end64 = bytes.number<std::uint64_t>(locator + 8);
    bytes.at(end64, kEnd64Bytes);
    if (bytes.number<std::uint32_t>(end64) != kEnd64) bytes.fail("its zip64 end is not where it says");
    return {bytes.number<std::uint64_t>(end64 + 32), bytes.number<std::uint64_t>(end64 + 48)};
  }
  bytes.fail("no zip archive, or one that was cut off: its table of contents is missing");
}

// Sizes and offset of an entry that are too large for 32 bits, from its zip64 part.
void read_zip64(const Bytes& bytes, std::uint64_t extra, std::uint64_t extra_size, ZipMember* member) {
  for (std::uint64_t place = extra; place + 4 <= extra + extra_size;) {
    const auto id = bytes.number<std::uint16_t>(place);
    const std::uint64_t length = bytes.number<std::uint16_t>(place + 2);
    std::uint64_t field = place + 4;
    place = field + length;
    if (id != kZip64Extra) continue;
    for (std::uint64_t* value : {&member->size, &member->packed_size, &member->header_offset}) {
      if (*value != kSee64) continue;
      if (field + 8 > place) bytes.fail("member " + member->name + " has a zip64 part that is too short");
      *value = bytes.number<std::uint64_t>(field);
      field += 8;
    }
    return;
  }
}

}  // namespace

std::vector<ZipMember> zip_members(const std::uint8_t* data, std::size_t size, const std::string& name) {
  const Bytes bytes(data, size, name);
  const Directory directory = find_directory(bytes);
  std::vector<ZipMember> members;
  std::uint64_t place = directory.offset;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    bytes.at(place, kEntryBytes);
    if (bytes.number<std::uint32_t>(place) != kEntry) bytes.fail("its table of contents is damaged");
    const std::uint64_t name_size = bytes.number<std::uint16_t>(place + 28);
    const std::uint64_t extra_size = bytes.number<std::uint16_t>(place + 30);
    ZipMember member;
    const auto* letters = reinterpret_cast<const char*>(bytes.at(place + kEntryBytes, name_size));
    member.name.assign(letters, static_cast<std::size_t>(name_size));
    if ((bytes.number<std::uint16_t>(place + 8) & kEncrypted) != 0) {
      bytes.fail("member " + member.name + " is encrypted");
    }
    member.method = bytes.number<std::uint16_t>(place + 10);
    member.crc32 = bytes.number<std::uint32_t>(place + 16);
    member.packed_size = bytes.number<std::uint32_t>(place + 20);
    member.size = bytes.number<std::uint32_t>(place + 24);
    member.header_offset = bytes.number<std::uint32_t>(place + 42);
    read_zip64(bytes, place + kEntryBytes + name_size, extra_size, &member);
    place += kEntryBytes + name_size + extra_size + bytes.number<std::uint16_t>(place + 32);
    members.push_back(std::move(member));
  }
  return members;
}

std::vector<std::uint8_t> zip_extract(const std::uint8_t* data, std::size_t size, const ZipMember& member,
                                      const std::string& name) {
  const Bytes bytes(data, size, name);
  const std::string where = "member " + member.name;
  bytes.at(member.header_offset, kLocalBytes);
  if (bytes.number<std::uint32_t>(member.header_offset) != kLocal) {
    bytes.fail(where + " is not where the archive says");
  }
  const std::uint64_t body = member.header_offset + kLocalBytes +
                             bytes.number<std::uint16_t>(member.header_offset + 26) +
                             bytes.number<std::uint16_t>(member.header_offset + 28);
  const std::uint8_t* packed = bytes.at(body, member.packed_size);
  std::vector<std::uint8_t> result;
  if (member.method == 0) {
    if (member.size != member.packed_size) bytes.fail(where + " says two different sizes");
    result.assign(packed, packed + member.packed_size);
  } else if (member.method == 8) {
    if (member.packed_size > UINT32_MAX || member.size > UINT32_MAX) bytes.fail(where + " is too large");
    if (member.size > kMostPacking * (member.packed_size + 1)) bytes.fail(where + " says an impossible size");
    result.resize(static_cast<std::size_t>(member.size));
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) bytes.fail(where + ": no memory to unpack it");
    std::uint8_t nowhere = 0;  // zlib wants a place even for no bytes
    stream.next_in = const_cast<Bytef*>(packed);
    stream.avail_in = static_cast<uInt>(member.packed_size);
    stream.next_out = result.empty() ? &nowhere : result.data();
    stream.avail_out = static_cast<uInt>(result.size());
    const int status = inflate(&stream, Z_FINISH);
    const bool whole = status == Z_STREAM_END && stream.total_out == result.size();
    inflateEnd(&stream);
    if (!whole) bytes.fail(where + " cannot be unpacked; the archive is damaged");
  } else {
    bytes.fail(where + " is packed by method " + std::to_string(member.method) +
               "; numpy.savez and numpy.savez_compressed use 0 and 8");
  }
  std::uint64_t check = crc32(0, nullptr, 0);
  for (std::size_t done = 0; done < result.size();) {
    const std::size_t step = std::min<std::size_t>(result.size() - done, 1U << 30U);
    check = crc32(static_cast<uLong>(check), result.data() + done, static_cast<uInt>(step));
    done += step;
  }
  if (check != member.crc32) bytes.fail(where + " has a wrong checksum; the archive is damaged");
  return result;
}

}  // namespace speechmill
