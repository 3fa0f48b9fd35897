// Roman numerals of running text, which only the normaliser knows how to read or refuse.
#pragma once

namespace speechmill {

// Whether a sentence may hold a Roman numeral by the normaliser's rules: letters I, V and X that are a word
// among others with small letters, a single one only behind a word with a capital and `I` only before a mark;
// two and more also with an ending (XIVth) or joined to a word (II-Charles), four and more of all seven
// letters. Answers true for every sentence that holds one, and for few others. Up to 16 bytes behind `end`
// are read.
bool may_hold_numeral(const char* begin, const char* end);

}  // namespace speechmill
