#include "sphere/sphere.h"

#include "base/error.h"
#include "check.h"
#include "sphere/companding.h"

using namespace speechmill;

namespace {

std::string sphere(const std::string& lines, const std::string& data, std::size_t header_bytes = 1024) {
  std::string size = std::to_string(header_bytes);
  std::string file = "NIST_1A\n" + std::string(7 - size.size(), ' ') + size + "\n" + lines + "end_head\n";
  file.resize(header_bytes, ' ');
  return file + data;
}

SphereInfo info_of(const std::string& file) {
  return read_sphere_info(MemorySource(file.data(), file.size()), "x.sph");
}

SphereAudio read_all(const std::string& file, std::int64_t start = 0, std::int64_t stop = -1) {
  const MemorySource source(file.data(), file.size());
  return read_sphere(source, read_sphere_info(source, "x.sph"), {start, stop});
}

const std::string kPcm = "channel_count -i 2\nsample_rate -i 8000\nsample_count -i 3\nsample_n_bytes -i 2\n";
const std::string kSamples("\x01\x00\x02\x00\xFF\xFF\x00\x80\x00\x7F\x0A\x00", 12);

void expands_g711() {
  CHECK_EQUAL(expand_ulaw(0x00), -32124);
  CHECK_EQUAL(expand_ulaw(0x80), 32124);
  CHECK_EQUAL(expand_ulaw(0xFF), 0);
  CHECK_EQUAL(expand_ulaw(0x7F), 0);
  CHECK_EQUAL(expand_alaw(0xD5), 8);
  CHECK_EQUAL(expand_alaw(0x55), -8);
  CHECK_EQUAL(expand_alaw(0xAA), 32256);
  CHECK_EQUAL(expand_alaw(0x2A), -32256);
}

void reads_both_byte_orders() {
  const SphereAudio little = read_all(sphere(kPcm + "sample_byte_format -s2 01\n", kSamples));
  CHECK_EQUAL(little.samples.size(), 6U);
  CHECK_EQUAL(little.samples[0], 1);
  CHECK_EQUAL(little.samples[2], -1);
  CHECK_EQUAL(little.samples[3], -32768);
  const SphereAudio big = read_all(sphere(kPcm + "sample_byte_format -s2 10\n", kSamples));
  CHECK_EQUAL(big.samples[0], 256);
  const SphereInfo assumed = info_of(sphere(kPcm, kSamples, 2048));
  CHECK_EQUAL(assumed.flags.size(), 2U);  // byte order and coding
  CHECK_EQUAL(read_all(sphere(kPcm, kSamples, 2048)).samples[1], 2);
}

void reads_segments() {
  const std::string file = sphere(kPcm + "sample_byte_format -s2 01\n", kSamples);
  const SphereAudio audio = read_all(file, 1, 2);
  CHECK_EQUAL(audio.samples.size(), 2U);
  CHECK_EQUAL(audio.samples[0], -1);
  CHECK_EQUAL(read_all(file, 3, 3).samples.size(), 0U);
  CHECK_THROWS(SphereError, read_all(file, 2, 4), "2 to 4", "of 3");
}

void settles_dirty_lengths() {
  const std::string cut = sphere(kPcm, kSamples.substr(0, 9));
  CHECK_THROWS(SphereError, read_all(cut), "x.sph", "2 of 3");
  CHECK(info_of(cut).truncated);
  const std::string more = sphere(kPcm, kSamples + kSamples.substr(0, 5));
  CHECK_EQUAL(info_of(more).num_samples, 4);
  CHECK_EQUAL(info_of(more).flags.back(), "sample_count_mismatch");
  std::string total = kPcm;
  total.replace(total.find("sample_count -i 3"), 17, "sample_count -i 6");
  CHECK_EQUAL(info_of(sphere(total, kSamples)).num_samples, 3);
  CHECK_EQUAL(read_all(sphere(total, kSamples)).samples.size(), 6U);
}

void verifies_the_checksum() {
  const std::uint32_t sum = (1 + 2 + 65535 + 32768 + 32512 + 10) % 65536;
  const auto summed = [](std::uint32_t told) {
    return sphere(kPcm + "sample_checksum -i " + std::to_string(told) + "\n", kSamples);
  };
  CHECK_EQUAL(read_all(summed(sum)).samples.size(), 6U);
  CHECK_THROWS(SphereError, read_all(summed(sum + 1)), "checksum", std::to_string(sum));
  CHECK_EQUAL(read_all(summed(sum + 1), 0, 2).samples.size(), 4U);  // a part cannot be summed
}

void reads_ulaw_and_names() {
  const std::string lines =
      "channel_count -i 1\nsample_rate -i 8000\nsample_coding -s6 mu-law\n; a comment\n\nspeaker_id -s5 a b "
      "c\n";
  const std::string data("\x00\x80\xFF", 3);
  CHECK_EQUAL(read_all(sphere(lines, data)).samples[0], -32124);
  CHECK_EQUAL(info_of(sphere(lines, data)).fields.back().second, "a b c");
}

void refuses_what_it_cannot_read() {
  CHECK_THROWS(SphereError, info_of("RIFF...."), "x.sph", "NIST_1A");
  CHECK_THROWS(SphereError, info_of("NIST_1A\r\n   1024\r\n"), "text mode");
  CHECK_THROWS(SphereError, info_of(sphere("channel_count -i 1\n", "")), "sample_rate");
  CHECK_THROWS(SphereError, info_of(sphere("sample_rate -i 8000\n", "")), "channel_count");
  CHECK_THROWS(SphereError, info_of(sphere(kPcm, "").substr(0, 500)), "truncated", "500 of 1024");
  CHECK_THROWS(SphereError, info_of(sphere(kPcm + "sample_coding -s26 pcm,embedded-shortpack-v0\n", "")),
               "shortpack");
  CHECK_THROWS(SphereError,
               info_of(sphere(kPcm + "sample_coding -s26 pcm,embedded-shorten-v2.00\n", kSamples)), "ajkg");
  CHECK_THROWS(SphereError, info_of(sphere(kPcm + "sample_coding -s5 adpcm\n", kSamples)), "adpcm");
  CHECK_THROWS(SphereError, info_of(sphere("channel_count -i 0\n", "")), "channel_count 0");
  CHECK_THROWS(SphereError, info_of(sphere("channel_count -i two\n", "")), "two");
}

}  // namespace

int main() {
  return testing::run_tests({{"expands_g711", expands_g711},
                             {"reads_both_byte_orders", reads_both_byte_orders},
                             {"reads_segments", reads_segments},
                             {"settles_dirty_lengths", settles_dirty_lengths},
                             {"verifies_the_checksum", verifies_the_checksum},
                             {"reads_ulaw_and_names", reads_ulaw_and_names},
                             {"refuses_what_it_cannot_read", refuses_what_it_cannot_read}});
}
