#include "search/greedy.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/utf8.h"

namespace speechmill {
namespace {

constexpr float kRoundingSlack = 1e-3F;

}  // namespace

void check_frame(const float* row, std::size_t labels, std::size_t frame) {
  bool good = true;
  for (std::size_t i = 0; i < labels; ++i) good &= row[i] <= kRoundingSlack;
  if (good) return;
  for (std::size_t i = 0; i < labels; ++i) {
    if (row[i] <= kRoundingSlack) continue;
    const std::string place = "log_probs at frame " + std::to_string(frame) + ", label " + std::to_string(i);
    if (std::isnan(row[i])) throw DecodeError(place + " is NaN; did the network diverge?");
    throw DecodeError(
        place + " is " + std::to_string(row[i]) +
        ", above 0: natural logarithms of probabilities are needed (log_softmax of the logits)");
  }
}

void spell(const Alphabet& alphabet, const std::vector<TimedLabel>& labels, Hypothesis* hypothesis) {
  hypothesis->text.clear();
  hypothesis->timesteps.clear();
  hypothesis->words.clear();
  const TimedLabel* pending_space = nullptr;
  const bool pieces = alphabet.kind() == LabelKind::kPieces;
  for (const TimedLabel& label : labels) {
    if (label.label == alphabet.space()) {
      if (pending_space == nullptr) pending_space = &label;
      continue;
    }
    if (hypothesis->words.empty() || pending_space != nullptr || alphabet.begins_word(label.label)) {
      if (!hypothesis->words.empty()) {
        if (!alphabet.is_unspaced()) hypothesis->text += ' ';
        if (pending_space != nullptr) hypothesis->timesteps.push_back(pending_space->frame);
      }
      hypothesis->words.push_back({"", label.frame, label.frame + 1});
      pending_space = nullptr;
    }
    const std::string& letter =
        pieces ? alphabet.pieces()[static_cast<std::size_t>(alphabet.label_of(label.label))].letters
               : alphabet.label(label.label);
    hypothesis->text += letter;
    hypothesis->timesteps.push_back(label.frame);
    hypothesis->words.back().word += letter;
    hypothesis->words.back().end_frame = label.frame + 1;
  }
  if (alphabet.kind() == LabelKind::kBytes) {  // a network may write bytes that are no text
    hypothesis->text = mend_utf8(hypothesis->text);
    for (WordTime& word : hypothesis->words) word.word = mend_utf8(word.word);
  }
}

Hypothesis greedy_decode(const Alphabet& alphabet, const float* log_probs, std::size_t frames) {
  const std::size_t labels = alphabet.size();
  const bool pieces = alphabet.kind() == LabelKind::kPieces;
  std::vector<TimedLabel> path;
  double score = 0.0;
  int last = alphabet.blank();
  for (std::size_t t = 0; t < frames; ++t) {
    const float* row = log_probs + t * labels;
    check_frame(row, labels, t);
    int best = 0;
    for (std::size_t i = 1; i < labels; ++i) {
      if (row[i] > row[best]) best = static_cast<int>(i);
    }
    score += row[best];
    const bool written =
        !pieces || (best != alphabet.blank() &&
                    alphabet.pieces()[static_cast<std::size_t>(alphabet.label_of(best))].written);
    if (best != last && best != alphabet.blank() && written) path.push_back({best, static_cast<int>(t)});
    last = best;
  }
  Hypothesis hypothesis;
  spell(alphabet, path, &hypothesis);
  auto at = path.begin();
  for (WordTime& word : hypothesis.words) {
    float least = 0.0F;
    for (; at != path.end() && at->frame < word.end_frame; ++at) {
      if (at->frame < word.start_frame) continue;  // the space before
      least = std::min(
          least,
          log_probs[static_cast<std::size_t>(at->frame) * labels + static_cast<std::size_t>(at->label)]);
    }
    word.confidence = std::exp(least);
  }
  hypothesis.score = hypothesis.acoustic = static_cast<float>(score);
  return hypothesis;
}

}  // namespace speechmill
