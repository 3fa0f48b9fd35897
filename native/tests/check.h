// The smallest test framework that tells file, line and values: CHECK in functions, one run_tests per
// program.
#pragma once

#include <cmath>
#include <exception>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace speechmill::testing {

inline int& failures() {
  static int count = 0;
  return count;
}

inline void fail(const char* file, int line, const std::string& what) {
  std::cerr << file << ':' << line << ": " << what << '\n';
  ++failures();
}

template <class A, class B>
void check_equal(const A& a, const B& b, const char* file, int line) {
  if (a == b) return;
  std::ostringstream text;
  text << "values differ: " << a << " and " << b;
  fail(file, line, text.str());
}

inline void check_near(double a, double b, double tolerance, const char* file, int line) {
  if (std::abs(a - b) <= tolerance) return;
  std::ostringstream text;
  text << "values differ by more than " << tolerance << ": " << a << " and " << b;
  fail(file, line, text.str());
}

// The action must throw Error with a message that holds every part.
template <class Error>
void check_throws(const std::function<void()>& action, const std::vector<std::string>& parts,
                  const char* file, int line) {
  try {
    action();
  } catch (const Error& error) {
    const std::string what = error.what();
    for (const std::string& part : parts) {
      if (what.find(part) == std::string::npos)
        fail(file, line, "\"" + what + "\" does not hold \"" + part + "\"");
    }
    return;
  }
  fail(file, line, "nothing was thrown");
}

inline int run_tests(const std::vector<std::pair<const char*, void (*)()>>& tests) {
  for (const auto& [name, test] : tests) {
    const int before = failures();
    try {
      test();
    } catch (const std::exception& error) {
      fail(name, 0, std::string("threw: ") + error.what());
    }
    std::cout << (failures() == before ? "ok   " : "FAIL ") << name << '\n';
  }
  return failures() == 0 ? 0 : 1;
}

}  // namespace speechmill::testing

#define CHECK(condition) \
  if (!(condition)) speechmill::testing::fail(__FILE__, __LINE__, "not so: " #condition)
#define CHECK_EQUAL(a, b) speechmill::testing::check_equal(a, b, __FILE__, __LINE__)
#define CHECK_NEAR(a, b, tolerance) speechmill::testing::check_near(a, b, tolerance, __FILE__, __LINE__)
#define CHECK_THROWS(Error, action, ...) \
  speechmill::testing::check_throws<Error>([&]() { action; }, {__VA_ARGS__}, __FILE__, __LINE__)
