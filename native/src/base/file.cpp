#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace speechmill {
namespace {

[[noreturn]] void fail(const std::string& path, const char* what) {
  const int cause = errno;
  throw std::runtime_error(path + " cannot be " + what + ": " + std::strerror(cause));
}

// Opens a regular file for reading and tells its size.
int open_regular(const std::string& path, std::uint64_t* size) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(path, "opened");
  struct stat info {};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(descriptor);
    throw std::runtime_error(path + " is not a regular file");
  }
  *size = static_cast<std::uint64_t>(info.st_size);
  return descriptor;
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  std::uint64_t size = 0;
  const int descriptor = open_regular(path, &size);
  size_ = static_cast<std::size_t>(size);
  if (size_ > 0) {
    void* address = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
    if (address == MAP_FAILED) {
      const int cause = errno;
      ::close(descriptor);
      errno = cause;
      fail(path, "mapped");
    }
    data_ = static_cast<const std::uint8_t*>(address);
  }
  ::close(descriptor);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::size_t MemorySource::read_at(std::uint64_t offset, void* target, std::size_t size) const {
  if (size == 0 || offset >= size_) return 0;
  const std::size_t take = std::min<std::size_t>(size, size_ - static_cast<std::size_t>(offset));
  std::memcpy(target, data_ + offset, take);
  return take;
}

FileSource::FileSource(const std::string& path) : path_(path) {
  descriptor_ = open_regular(path, &size_);
}

FileSource::~FileSource() {
  ::close(descriptor_);
}

std::size_t FileSource::read_at(std::uint64_t offset, void* target, std::size_t size) const {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(descriptor_, static_cast<char*>(target) + done, size - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, "read");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp" + std::to_string(::getpid());
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) fail(temporary, "created");
  bool good = true;
  for (std::size_t done = 0; good && done < bytes.size();) {
    const ssize_t put = ::write(descriptor, bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0)
      good = false;
    else
      done += static_cast<std::size_t>(put);
  }
  good = good && ::fsync(descriptor) == 0;
  int cause = errno;
  if (::close(descriptor) != 0 && good) good = false, cause = errno;
  if (good && ::rename(temporary.c_str(), path.c_str()) != 0) good = false, cause = errno;
  if (!good) {
    ::unlink(temporary.c_str());
    errno = cause;
    fail(path, "written");
  }
}

}  // namespace speechmill
