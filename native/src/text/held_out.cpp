#include "text/held_out.h"

#include <algorithm>

namespace speechmill {

HeldOut::HeldOut(const std::vector<std::string>& sentences, std::size_t long_words, bool keep_long)
    : keep_long_(keep_long) {
  std::size_t size = 0;
  for (const std::string& sentence : sentences) size += sentence.size();
  text_.reserve(size);  // the views below stay valid: it never grows beyond this
  for (const std::string& sentence : sentences) {
    const char* const place = text_.data() + text_.size();
    text_ += sentence;
    const auto words = static_cast<std::size_t>(std::count(sentence.begin(), sentence.end(), ' ')) + 1;
    (words >= long_words ? long_ : short_).emplace(place, sentence.size());
  }
}

bool HeldOut::admit(std::string_view sentence, SentenceTally* tally) const {
  ++tally->read;
  if (!long_.empty() && long_.count(sentence) > 0) {
    if (!keep_long_) {
      ++tally->left_out;
      return false;
    }
    ++tally->readmitted;
  } else if (!short_.empty() && short_.count(sentence) > 0) {
    ++tally->short_overlap;
  }
  const auto words = static_cast<std::uint64_t>(std::count(sentence.begin(), sentence.end(), ' ')) + 1;
  ++tally->kept;
  tally->words += words;
  tally->longest_words = std::max(tally->longest_words, words);
  return true;
}

std::string HeldOut::admit_lines(std::string_view lines, SentenceTally* tally) const {
  std::string kept;
  kept.reserve(lines.size());
  while (!lines.empty()) {
    const std::size_t size = std::min(lines.find('\n'), lines.size());
    const std::string_view sentence = lines.substr(0, size);
    lines.remove_prefix(std::min(size + 1, lines.size()));
    if (!sentence.empty() && admit(sentence, tally)) {
      kept += sentence;
      kept += '\n';
    }
  }
  return kept;
}

}  // namespace speechmill
