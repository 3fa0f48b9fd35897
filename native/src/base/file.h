// Files as this library uses them: read-only maps, reads at a place, atomic writes. Knows nothing of formats.
// All functions throw std::runtime_error with the file and the system's cause.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace speechmill {

// A whole file mapped read-only for the life of the object. Moves, never copies.
class MappedFile {
public:
  MappedFile() = default;  // maps nothing
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }

private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// Bytes that can be read at any place.
class ByteSource {
public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  // Reads up to `size` bytes from `offset`; fewer only at the end. Returns the number read.
  virtual std::size_t read_at(std::uint64_t offset, void* target, std::size_t size) const = 0;
  // All bytes where they lie in memory already, else null.
  virtual const std::uint8_t* in_memory() const { return nullptr; }
};

// Bytes in memory that somebody else owns and keeps alive.
class MemorySource : public ByteSource {
public:
  MemorySource(const void* data, std::size_t size) : data_(static_cast<const char*>(data)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  std::size_t read_at(std::uint64_t offset, void* target, std::size_t size) const override;
  const std::uint8_t* in_memory() const override { return reinterpret_cast<const std::uint8_t*>(data_); }

private:
  const char* data_;
  std::size_t size_;
};

// An open file; its size is taken when it is opened.
class FileSource : public ByteSource {
public:
  explicit FileSource(const std::string& path);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  std::uint64_t size() const override { return size_; }
  std::size_t read_at(std::uint64_t offset, void* target, std::size_t size) const override;

private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

// Writes a temporary file beside `path`, forces it to disk, and renames it over `path`.
void write_file_atomically(const std::string& path, std::string_view bytes);

}  // namespace speechmill
