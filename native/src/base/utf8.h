// UTF-8, read strictly: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace speechmill {

// Bytes of the character at `text[at]`, or 0 if there is none. `bad`, where given, receives how many bytes a
// reader that goes on after the fault passes over (at least 1), as Unicode recommends and Python does.
std::size_t character_bytes(std::string_view text, std::size_t at, std::size_t* bad = nullptr);

bool is_utf8(std::string_view text);

// The text with U+FFFD in the place of everything that is no character. Networks over bytes may write such.
std::string mend_utf8(std::string_view text);

}  // namespace speechmill
