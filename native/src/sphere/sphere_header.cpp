// The header of a SPHERE file: grammar first, then the meaning of the fields.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "sphere/sphere.h"

namespace speechmill {
namespace {

constexpr std::size_t kMaxHeaderBytes = 65536;

void flag(SphereInfo* info, const char* name) {
  if (std::find(info->flags.begin(), info->flags.end(), name) == info->flags.end())
    info->flags.emplace_back(name);
}

[[noreturn]] void refuse(const SphereInfo& info, const std::string& what) {
  throw SphereError("SPHERE file " + info.name + ": " + what);
}

std::optional<std::int64_t> to_integer(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// The header's bytes up to its declared length.
std::string read_header_bytes(const ByteSource& source, SphereInfo* info) {
  char start[17] = "";
  const std::size_t got = source.read_at(0, start, 16);
  if (got < 8 || std::memcmp(start, "NIST_1A", 7) != 0) refuse(*info, "it does not begin with NIST_1A");
  if (start[7] == '\r') {
    refuse(*info,
           "its header has CR LF line ends: it was copied in text mode, so its samples are damaged too");
  }
  const auto size = to_integer(std::string_view(start + 8, got - 8));
  if (start[7] != '\n' || got < 16 || !size)
    refuse(*info, "its second line does not tell the header's length");
  if (*size < 1024 || *size % 1024 != 0 || *size > static_cast<std::int64_t>(kMaxHeaderBytes)) {
    refuse(*info, "header length " + std::to_string(*size) + " is not a multiple of 1024 up to 65536");
  }
  std::string header(static_cast<std::size_t>(*size), '\0');
  const std::size_t there = source.read_at(0, header.data(), header.size());
  if (there < header.size()) {
    refuse(*info, "truncated within its header: " + std::to_string(there) + " of " + std::to_string(*size) +
                      " bytes");
  }
  info->header_bytes = static_cast<std::uint32_t>(*size);
  return header;
}

// Takes "-i value", "-r value" or "-sN value" off `rest`, which begins after the key; returns the value.
std::string_view take_value(const SphereInfo& info, std::string_view key, std::string_view* rest, bool* odd) {
  const std::size_t line_end = std::min(rest->find('\n'), rest->size());
  const std::string_view line = rest->substr(0, line_end);
  const std::size_t gap = line.find(' ');
  const std::string_view type = line.substr(0, gap);
  std::size_t value_at = gap == std::string_view::npos ? line.size() : gap + 1;
  std::size_t value_end = line_end;
  if (type.substr(0, 2) == "-s") {
    const auto length = to_integer(type.substr(2));
    if (!length || *length < 0)
      refuse(info, "field " + std::string(key) + " has the string type " + std::string(type));
    const std::size_t told = value_at + static_cast<std::size_t>(*length);
    if (told < rest->size() && (*rest)[told] == '\n') {
      value_end = told;
    } else {
      *odd = true;
    }
  } else if (type != "-i" && type != "-r") {
    refuse(info, "field " + std::string(key) + " has the unknown type " + std::string(type));
  }
  const std::string_view value = rest->substr(value_at, value_end - value_at);
  rest->remove_prefix(std::min(value_end + 1, rest->size()));
  return value;
}

void parse_lines(std::string_view rest, SphereInfo* info) {
  while (true) {
    const std::size_t line_end = rest.find('\n');
    if (line_end == std::string_view::npos) refuse(*info, "its header has no end_head line");
    const std::string_view line = rest.substr(0, line_end);
    if (!line.empty() && line.back() == '\r') {
      refuse(*info,
             "its header has CR LF line ends: it was copied in text mode, so its samples are damaged too");
    }
    if (line == "end_head") return;
    if (line.empty() || line[0] == ';' || line.find_first_not_of(" \t") == std::string_view::npos) {
      rest.remove_prefix(line_end + 1);
      continue;
    }
    const std::size_t gap = line.find(' ');
    if (gap == std::string_view::npos || gap == 0) {
      refuse(*info, "header line \"" + std::string(line.substr(0, 60)) + "\" is not: key type value");
    }
    const std::string key(line.substr(0, gap));
    rest.remove_prefix(gap + 1);
    bool odd = false;
    const std::string value(take_value(*info, key, &rest, &odd));
    if (odd) flag(info, "string_length");
    const auto same = [&key](const auto& field) { return field.first == key; };
    const auto earlier = std::find_if(info->fields.begin(), info->fields.end(), same);
    if (earlier != info->fields.end()) {
      flag(info, "duplicate_field");
      earlier->second = value;
    } else {
      info->fields.emplace_back(key, value);
    }
  }
}

const std::string* field(const SphereInfo& info, std::string_view key) {
  for (const auto& [name, value] : info.fields) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::optional<std::int64_t> integer_field(const SphereInfo& info, const char* key) {
  const std::string* text = field(info, key);
  if (text == nullptr) return std::nullopt;
  const auto value = to_integer(*text);
  if (!value) refuse(info, std::string(key) + " is \"" + *text + "\", not a whole number");
  return value;
}

std::int64_t needed_field(const SphereInfo& info, const char* key, std::int64_t low, std::int64_t high) {
  const auto value = integer_field(info, key);
  if (!value) refuse(info, std::string("its header has no ") + key);
  if (*value < low || *value > high) {
    refuse(info, std::string(key) + " " + std::to_string(*value) + " is outside " + std::to_string(low) +
                     " to " + std::to_string(high));
  }
  return *value;
}

void read_coding(const ByteSource& source, SphereInfo* info) {
  const std::string* text = field(*info, "sample_coding");
  std::string coding = text == nullptr ? "pcm" : *text;
  if (text == nullptr) flag(info, "coding_assumed");
  while (!coding.empty() && coding.back() == ' ') coding.pop_back();
  const std::size_t comma = coding.find(',');
  const std::string compression = comma == std::string::npos ? "" : coding.substr(comma + 1);
  const std::string base = coding.substr(0, comma);
  if (base == "pcm")
    info->coding = SphereCoding::pcm;
  else if (base == "ulaw" || base == "mu-law" || base == "mulaw")
    info->coding = SphereCoding::ulaw;
  else if (base == "alaw" || base == "a-law")
    info->coding = SphereCoding::alaw;
  else
    refuse(*info, "sample_coding \"" + coding + "\" is unknown; pcm, ulaw and alaw are read");
  const bool told = compression.rfind("embedded-shorten", 0) == 0;
  if (!compression.empty() && !told) {
    refuse(*info, "compression \"" + compression + "\" is not supported; only embedded-shorten is");
  }
  char magic[4] = "";
  info->shorten = source.read_at(info->header_bytes, magic, 4) == 4 && std::memcmp(magic, "ajkg", 4) == 0;
  if (told && !info->shorten) {
    refuse(*info,
           "sample_coding says " + compression + " but the data do not begin with shorten's mark ajkg");
  }
  if (info->shorten && !told) flag(info, "compression_undeclared");
  if (info->shorten && info->coding == SphereCoding::alaw)
    refuse(*info, "A-law compressed by shorten is not supported");
}

void read_sample_layout(SphereInfo* info) {
  const bool linear = info->coding == SphereCoding::pcm;
  const auto bytes = integer_field(*info, "sample_n_bytes");
  info->sample_bytes = static_cast<int>(bytes.value_or(linear ? 2 : 1));
  if (bytes && (*bytes < 1 || *bytes > 2 || (!linear && *bytes != 1))) {
    refuse(*info, "sample_n_bytes " + std::to_string(*bytes) + " does not fit its sample_coding");
  }
  if (info->sample_bytes != 2) return;
  const std::string* order = field(*info, "sample_byte_format");
  if (order == nullptr) {
    flag(info, "byte_order_assumed");
  } else if (*order == "10") {
    info->big_endian = true;
  } else if (*order != "01") {
    refuse(*info, "sample_byte_format \"" + *order + "\" is unknown; 01 and 10 are read for 16-bit samples");
  }
}

// Settles how many samples there are, from what the header says and what the file holds.
void settle_length(std::uint64_t file_bytes, SphereInfo* info) {
  info->declared_samples = integer_field(*info, "sample_count");
  const std::int64_t declared = info->declared_samples.value_or(0);
  if (declared < 0) refuse(*info, "sample_count " + std::to_string(declared) + " is negative");
  if (info->shorten) {
    info->num_samples = declared;
    return;
  }
  const std::uint64_t data_bytes = file_bytes - info->header_bytes;
  const auto frame = static_cast<std::uint64_t>(info->channels * info->sample_bytes);
  info->num_samples = static_cast<std::int64_t>(data_bytes / frame);
  if (data_bytes % frame != 0) flag(info, "trailing_bytes");
  if (!info->declared_samples || declared == info->num_samples) return;
  if (declared < info->num_samples) {
    flag(info, "sample_count_mismatch");
  } else if (info->channels > 1 && declared % info->channels == 0 &&
             declared / info->channels == info->num_samples) {
    flag(info, "sample_count_total");
  } else {
    info->truncated = true;
    flag(info, "truncated");
  }
}

}  // namespace

SphereInfo read_sphere_info(const ByteSource& source, const std::string& name) {
  SphereInfo info;
  info.name = name;
  const std::string header = read_header_bytes(source, &info);
  parse_lines(std::string_view(header).substr(16), &info);
  info.channels = static_cast<int>(needed_field(info, "channel_count", 1, 8));
  info.sample_rate_hz = static_cast<int>(needed_field(info, "sample_rate", 1, 1000000));
  read_coding(source, &info);
  read_sample_layout(&info);
  settle_length(source.size(), &info);
  if (const auto sum = integer_field(info, "sample_checksum")) {
    if (*sum < 0 || *sum > 65535)
      refuse(info, "sample_checksum " + std::to_string(*sum) + " is outside 0 to 65535");
    info.checksum = static_cast<std::uint32_t>(*sum);
  }
  return info;
}

}  // namespace speechmill
