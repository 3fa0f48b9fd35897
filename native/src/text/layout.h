// From a text as it was typeset to a text as it would be typed: the steps before sentences are looked for.
//
// Both work on bytes of UTF-8 and never fail. Not here: sentence ends, letters, refusals (cleaner.h).
#pragma once

#include <string>
#include <string_view>

namespace speechmill {

// CRLF and CR become LF; `_` (italics) goes, `*` becomes a blank; curly quotes, dashes and the ellipsis
// become the signs of a typewriter (’ ' “ " — ` - ` … `...`).
std::string plain_text(std::string_view raw);

// For text whose lines were broken to a width: paragraphs (divided by empty lines) become one line each. A
// word broken at a line's end is mended where the text holds it whole elsewhere (`some-⏎thing`), else keeps
// its hyphen.
void join_wrapped_lines(std::string* text);

// A line end behind every 。 ！ ？ and danda: marks that end a sentence wherever they stand.
void break_at_full_stops(std::string* text);

// Whether the lines of a text were broken to a width: a third of the line ends inside paragraphs stand within
// a sentence (no mark before, a small letter after), and the text has sentence marks at all.
bool lines_are_wrapped(std::string_view sample);

// Whether the name of Project Gutenberg stands in the text at all, in capitals or not: a quick first look.
bool names_gutenberg(std::string_view text);

}  // namespace speechmill
