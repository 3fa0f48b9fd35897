// MD5's 64 steps (RFC 1321, 3.4) as a list, for code that works on words and code that works on vectors of
// them: STEP(mixing function, the four parts of the state in their order, word of the block, rotation,
// constant). A macro, because functions that may use AVX2 cannot share a template with those that may not.
#pragma once

// The mixing functions with the sum they are added to: what does not wait for `b` comes first, so that the
// chain from step to step is short.
#define SPEECHMILL_MD5_FIRST(sum, b, c, d) (sum + (d ^ (b & (c ^ d))))
#define SPEECHMILL_MD5_SECOND(sum, b, c, d) (sum + (c & ~d) + (b & d))
#define SPEECHMILL_MD5_THIRD(sum, b, c, d) (sum + (b ^ (c ^ d)))
#define SPEECHMILL_MD5_FOURTH(sum, b, c, d) (sum + (c ^ (b | ~d)))

// One step on variables a, b, c, d and the block's sixteen words m.
#define SPEECHMILL_MD5_STEP(mix, a, b, c, d, word, bits, constant) \
  a = SPEECHMILL_MD5_##mix((a + m[word] + constant##U), b, c, d);  \
  a = (a << bits | a >> (32 - bits)) + b;

// clang-format off
#define SPEECHMILL_MD5_STEPS(STEP) \
  STEP(FIRST, a, b, c, d, 0, 7, 0xd76aa478) STEP(FIRST, d, a, b, c, 1, 12, 0xe8c7b756) \
  STEP(FIRST, c, d, a, b, 2, 17, 0x242070db) STEP(FIRST, b, c, d, a, 3, 22, 0xc1bdceee) \
  STEP(FIRST, a, b, c, d, 4, 7, 0xf57c0faf) STEP(FIRST, d, a, b, c, 5, 12, 0x4787c62a) \
  STEP(FIRST, c, d, a, b, 6, 17, 0xa8304613) STEP(FIRST, b, c, d, a, 7, 22, 0xfd469501) \
  STEP(FIRST, a, b, c, d, 8, 7, 0x698098d8) STEP(FIRST, d, a, b, c, 9, 12, 0x8b44f7af) \
  STEP(FIRST, c, d, a, b, 10, 17, 0xffff5bb1) STEP(FIRST, b, c, d, a, 11, 22, 0x895cd7be) \
  STEP(FIRST, a, b, c, d, 12, 7, 0x6b901122) STEP(FIRST, d, a, b, c, 13, 12, 0xfd987193) \
  STEP(FIRST, c, d, a, b, 14, 17, 0xa679438e) STEP(FIRST, b, c, d, a, 15, 22, 0x49b40821) \
  STEP(SECOND, a, b, c, d, 1, 5, 0xf61e2562) STEP(SECOND, d, a, b, c, 6, 9, 0xc040b340) \
  STEP(SECOND, c, d, a, b, 11, 14, 0x265e5a51) STEP(SECOND, b, c, d, a, 0, 20, 0xe9b6c7aa) \
  STEP(SECOND, a, b, c, d, 5, 5, 0xd62f105d) STEP(SECOND, d, a, b, c, 10, 9, 0x02441453) \
  STEP(SECOND, c, d, a, b, 15, 14, 0xd8a1e681) STEP(SECOND, b, c, d, a, 4, 20, 0xe7d3fbc8) \
  STEP(SECOND, a, b, c, d, 9, 5, 0x21e1cde6) STEP(SECOND, d, a, b, c, 14, 9, 0xc33707d6) \
  STEP(SECOND, c, d, a, b, 3, 14, 0xf4d50d87) STEP(SECOND, b, c, d, a, 8, 20, 0x455a14ed) \
  STEP(SECOND, a, b, c, d, 13, 5, 0xa9e3e905) STEP(SECOND, d, a, b, c, 2, 9, 0xfcefa3f8) \
  STEP(SECOND, c, d, a, b, 7, 14, 0x676f02d9) STEP(SECOND, b, c, d, a, 12, 20, 0x8d2a4c8a) \
  STEP(THIRD, a, b, c, d, 5, 4, 0xfffa3942) STEP(THIRD, d, a, b, c, 8, 11, 0x8771f681) \
  STEP(THIRD, c, d, a, b, 11, 16, 0x6d9d6122) STEP(THIRD, b, c, d, a, 14, 23, 0xfde5380c) \
  STEP(THIRD, a, b, c, d, 1, 4, 0xa4beea44) STEP(THIRD, d, a, b, c, 4, 11, 0x4bdecfa9) \
  STEP(THIRD, c, d, a, b, 7, 16, 0xf6bb4b60) STEP(THIRD, b, c, d, a, 10, 23, 0xbebfbc70) \
  STEP(THIRD, a, b, c, d, 13, 4, 0x289b7ec6) STEP(THIRD, d, a, b, c, 0, 11, 0xeaa127fa) \
  STEP(THIRD, c, d, a, b, 3, 16, 0xd4ef3085) STEP(THIRD, b, c, d, a, 6, 23, 0x04881d05) \
  STEP(THIRD, a, b, c, d, 9, 4, 0xd9d4d039) STEP(THIRD, d, a, b, c, 12, 11, 0xe6db99e5) \
  STEP(THIRD, c, d, a, b, 15, 16, 0x1fa27cf8) STEP(THIRD, b, c, d, a, 2, 23, 0xc4ac5665) \
  STEP(FOURTH, a, b, c, d, 0, 6, 0xf4292244) STEP(FOURTH, d, a, b, c, 7, 10, 0x432aff97) \
  STEP(FOURTH, c, d, a, b, 14, 15, 0xab9423a7) STEP(FOURTH, b, c, d, a, 5, 21, 0xfc93a039) \
  STEP(FOURTH, a, b, c, d, 12, 6, 0x655b59c3) STEP(FOURTH, d, a, b, c, 3, 10, 0x8f0ccc92) \
  STEP(FOURTH, c, d, a, b, 10, 15, 0xffeff47d) STEP(FOURTH, b, c, d, a, 1, 21, 0x85845dd1) \
  STEP(FOURTH, a, b, c, d, 8, 6, 0x6fa87e4f) STEP(FOURTH, d, a, b, c, 15, 10, 0xfe2ce6e0) \
  STEP(FOURTH, c, d, a, b, 6, 15, 0xa3014314) STEP(FOURTH, b, c, d, a, 13, 21, 0x4e0811a1) \
  STEP(FOURTH, a, b, c, d, 4, 6, 0xf7537e82) STEP(FOURTH, d, a, b, c, 11, 10, 0xbd3af235) \
  STEP(FOURTH, c, d, a, b, 2, 15, 0x2ad7d2bb) STEP(FOURTH, b, c, d, a, 9, 21, 0xeb86d391)
// clang-format on
