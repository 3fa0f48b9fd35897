// Three small streams made by the tests' own encoder (tests/native/shorten_encoder.py), which also tests at
// length.
#include "sphere/shorten.h"

#include "base/error.h"
#include "check.h"
#include "sphere/companding.h"

using namespace speechmill;

namespace {

std::vector<std::uint8_t> from_hex(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

const char* const kTelephone =
    "616a6b6702e8ab257337b808582733ed9c2bac902bbff5044fe9bc64b43f6fb051cb34e3d29409e2a09b977bb4605dad02000000"
    "00";
const std::vector<int> kTelephoneCodes = {207, 21,  45, 60, 46,  205, 222, 127, 10,  24,  85,  110,
                                          159, 122, 67, 40, 177, 188, 8,   29,  115, 100, 227, 132};
const char* const kLinear = "616a6b6702cb1cb9324b57444e829ea8a5056045ab29a98fcf2c50784a00000000";
const std::vector<int> kLinearSamples = {630, 1696, 164, 82, 690, 0, 0, 0, 0, 0, 3404, 2760};
const char* const kUnsigned = "616a6b6701aa35cd53742044bcf91a395bb5190d865ae73280";
const std::vector<int> kUnsignedSamples = {0,    512,  4352,  7424,  -6656, -5120,
                                           5376, 7168, -3584, -2560, 6144,  -768};

ShortenAudio decode(const char* hex, int channels, bool ulaw, std::int64_t stop = -1) {
  const std::vector<std::uint8_t> bytes = from_hex(hex);
  return decode_shorten(bytes.data(), bytes.size(), {"x.sph", channels, ulaw, stop, 12});
}

void same_samples(const ShortenAudio& audio, const std::vector<int>& expected) {
  CHECK_EQUAL(audio.samples.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK_EQUAL(static_cast<int>(audio.samples[i]), expected[i]);
}

void streams_come_back_exactly() {
  std::vector<int> telephone;
  std::uint32_t sum = 0;
  for (const int code : kTelephoneCodes) {
    telephone.push_back(expand_ulaw(static_cast<std::uint8_t>(code)));
    sum += static_cast<std::uint32_t>(code);
  }
  const ShortenAudio audio = decode(kTelephone, 2, true);
  same_samples(audio, telephone);
  CHECK_EQUAL(audio.checksum, sum);
  CHECK(audio.complete);
  same_samples(decode(kLinear, 1, false), kLinearSamples);
  same_samples(decode(kUnsigned, 1, false), kUnsignedSamples);
}

void every_cut_is_refused() {
  for (const char* hex : {kTelephone, kLinear, kUnsigned}) {
    const bool ulaw = hex == kTelephone;
    std::vector<std::uint8_t> bytes = from_hex(hex);
    while (bytes.back() == 0) bytes.pop_back();
    for (std::size_t size = 0; size + 1 < bytes.size(); ++size) {
      const std::vector<std::uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      const ShortenRequest request{"x.sph", ulaw ? 2 : 1, ulaw, -1, 12};
      CHECK_THROWS(SphereError, decode_shorten(cut.data(), cut.size(), request), "x.sph", "truncated",
                   "of 12");
    }
  }
}

void decoding_stops_early() {
  const ShortenAudio part = decode(kTelephone, 2, true, 5);
  CHECK_EQUAL(part.frames, 8);
  CHECK(!part.complete);
}

void every_damaged_byte_is_survived() {
  std::vector<std::uint8_t> bytes = from_hex(kLinear);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ (1U << bit));
      try {
        CHECK(decode_shorten(bytes.data(), bytes.size(), {"x.sph", 1, false, -1, 12}).frames <= 12);
      } catch (const SphereError&) {
      }
      bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ (1U << bit));
    }
  }
}

void mu_law_rows_hold_every_code() {
  for (int shift = 0; shift <= 12; ++shift) {
    std::vector<bool> seen(256, false);
    for (int v = -128; v < 128; ++v) seen[shorten_ulaw_byte(0, shift, v)] = true;
    for (const bool there : seen) CHECK(there);
  }
  CHECK_EQUAL(static_cast<int>(shorten_ulaw_byte(8, 0, -1)), 0x7F);
  CHECK_EQUAL(static_cast<int>(shorten_ulaw_byte(8, 0, 0)), 0xFF);
  CHECK_EQUAL(static_cast<int>(shorten_ulaw_byte(8, 0, -2)), 0x7E);
  CHECK_EQUAL(static_cast<int>(shorten_ulaw_byte(8, 0, 127)), 0x80);
}

}  // namespace

int main() {
  return testing::run_tests({{"streams_come_back_exactly", streams_come_back_exactly},
                             {"every_cut_is_refused", every_cut_is_refused},
                             {"decoding_stops_early", decoding_stops_early},
                             {"every_damaged_byte_is_survived", every_damaged_byte_is_survived},
                             {"mu_law_rows_hold_every_code", mu_law_rows_hold_every_code}});
}
