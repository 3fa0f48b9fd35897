// What a decoder answers for one utterance.
#pragma once

#include <string>
#include <vector>

namespace speechmill {

struct WordTime {
  std::string word;
  int start_frame = 0;  // frame of the word's first label
  int end_frame = 0;    // one past the frame of its last label
  // Share of the beam's probability (by score, whole texts only) whose texts begin with the same words up to
  // this one, or have it at a time that overlaps; 0 to 1. Greedy: the probability of its least probable
  // label.
  float confidence = 1.0F;
};

struct Hypothesis {
  std::string text;         // words separated by single spaces
  float score = 0.0F;       // acoustic + lm_score + word_score + oov_score + hot_word_score
  float acoustic = 0.0F;    // ln P(text | audio), summed over alignments (greedy: of the one best alignment)
  float lm = 0.0F;          // ln P_lm(<s> text </s>), unweighted; 0 without a scorer
  float lm_score = 0.0F;    // alpha * lm
  float word_score = 0.0F;  // beta * number of words (of characters, where they are the model's unit)
  float oov_score = 0.0F;   // oov_penalty * number of words outside the lexicon
  float hot_word_score = 0.0F;  // boosts of the hot phrases in the text
  std::vector<int> timesteps;   // frame of each label of the text
  std::vector<WordTime> words;
};

// One label of an answer and the frame it was taken at.
struct TimedLabel {
  int label;  // output index
  int frame;
};

class Alphabet;

// Sets text, timesteps and words from labels in order: runs of spaces count as one, spaces at the ends as
// none.
void spell(const Alphabet& alphabet, const std::vector<TimedLabel>& labels, Hypothesis* hypothesis);

}  // namespace speechmill
