#include "fusion/search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>

#include "base/error.h"
#include "fusion/memory.h"

namespace speechmill::fusion {
namespace {

constexpr std::string_view kMark = "\xE2\x96\x81";  // ▁
constexpr std::uint32_t kNoLabel = kNone;

// What a label does to a beam.
struct Step {
  std::uint32_t name = 0;  // the first label that is called the same
  std::string piece;       // the letters it adds
  bool blank = false;
  bool space = false;
  bool opens = false;   // begins a word
  bool closes = false;  // ends one
};

struct Beam {
  std::uint32_t text = 0;
  std::uint32_t next = 0;  // a whole word that is not in the text yet: at the end only
  std::uint32_t word = 0;  // being written
  std::uint32_t label = kNoLabel;
  std::uint32_t frames = kNone;
  std::int32_t start = -1;
  std::int32_t end = -1;
  double network = 0.0;
  double total = 0.0;
};

double log_of_sum(double first, double second) {
  const double high = first >= second ? first : second;
  const double low = first >= second ? second : first;
  return high + std::log(1 + std::exp(low - high));
}

bool starts_with(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

bool ends_with(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && text.substr(text.size() - with.size()) == with;
}

std::vector<Step> steps_of(const Labels& labels) {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < labels.names.size(); ++i) {
    const std::string& name = labels.names[i];
    Step step;
    const auto same = std::find(labels.names.begin(), labels.names.end(), name);
    step.name = static_cast<std::uint32_t>(same - labels.names.begin());
    step.blank = name.empty();
    step.space = !labels.pieces && name == " ";
    if (!step.space && name.find_first_of(" \t\n\r\v\f") != std::string::npos) {
      throw DecodeError("label \"" + name + "\" holds a blank inside: words could not be told apart");
    }
    step.piece = name;
    step.opens = labels.pieces && starts_with(name, kMark);
    step.closes = labels.pieces && ends_with(name, kMark);
    steps.push_back(std::move(step));
  }
  return steps;
}

// The letters of a piece that stands at a word's beginning, without its marks.
std::string bare(const Step& step) {
  std::string_view piece = step.piece;
  if (starts_with(piece, kMark)) piece.remove_prefix(kMark.size());
  if (ends_with(piece, kMark)) piece.remove_suffix(kMark.size());
  return std::string(piece);
}

// Open addressing over (text, word, label); cleared by counting up.
class Table {
public:
  void clear(std::size_t entries) {
    std::size_t size = 64;
    while (size < 2 * entries) size *= 2;
    if (size > slots_.size()) {
      slots_.assign(size, {});
      round_ = 0;
    }
    ++round_;
  }

  // The number that stands for the key, or `number` put there.
  std::uint32_t find_or_put(const std::array<std::uint32_t, 3>& key, std::uint32_t number) {
    std::uint64_t hash =
        key[0] * 0x9E3779B97F4A7C15ULL ^ key[1] * 0xC2B2AE3D27D4EB4FULL ^ key[2] * 0x165667B19E3779F9ULL;
    hash ^= hash >> 29U;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      Slot& slot = slots_[at];
      if (slot.round != round_) {
        slot = {key, number, round_};
        return number;
      }
      if (slot.key == key) return slot.number;
    }
  }

private:
  struct Slot {
    std::array<std::uint32_t, 3> key{};
    std::uint32_t number = 0;
    std::uint64_t round = 0;
  };
  std::vector<Slot> slots_;
  std::uint64_t round_ = 0;
};

class Search {
public:
  Search(const Labels& labels, const Cuts& cuts, Memory* memory)
      : steps_(steps_of(labels)), pieces_(labels.pieces), cuts_(cuts), memory_(memory), beams_(1) {}

  void advance(const double* log_probs, std::int32_t frame);
  std::vector<Answer> finish();

private:
  using History = std::array<std::uint32_t, 8>;  // room for the words before of the highest order

  Beam grown(const Beam& beam, std::uint32_t label, double log_prob, std::int32_t frame);
  void close_word(Beam* beam);
  void add_merged(const Beam& beam, std::uint32_t text, std::vector<Beam>* merged);
  void keep_best(std::vector<Beam>* beams) const;
  void prune_history(std::vector<Beam>* beams) const;
  History history(const Beam& beam) const;

  std::vector<Step> steps_;
  bool pieces_;
  Cuts cuts_;
  Memory* memory_;
  std::vector<Beam> beams_;
  std::vector<Beam> next_;
  Table table_;
  bool breaks_ = false;  // the newest piece ended a word
};

void Search::close_word(Beam* beam) {
  if (beam->word != 0) beam->frames = memory_->add_frames(beam->frames, beam->start, beam->end);
}

Beam Search::grown(const Beam& beam, std::uint32_t label, double log_prob, std::int32_t frame) {
  const Step& step = steps_[label];
  Beam after = beam;
  after.label = step.name;
  after.network = beam.network + log_prob;
  if (step.blank) return after;
  if (beam.label == step.name) {
    after.end = frame + 1;
    return after;
  }
  if (step.space || (pieces_ && (step.opens || breaks_))) {
    close_word(&after);
    after.text = memory_->longer_text(beam.text, beam.word);
    after.word = 0;
    after.start = after.end = -1;
    if (step.space) return after;
    breaks_ = step.closes;
    after.word = memory_->longer(0, label, bare(step));
    after.start = frame;
    after.end = frame + 1;
    return after;
  }
  // A piece inside a word keeps its marks; a first piece and an inner one of one label are remembered apart.
  after.word = memory_->longer(beam.word, pieces_ ? label + static_cast<std::uint32_t>(steps_.size()) : label,
                               step.piece);
  after.start = beam.start < 0 ? frame : beam.start;
  after.end = frame + 1;
  return after;
}

// Beams that come to the same: their probabilities are added, the newer one's frames count.
void Search::add_merged(const Beam& beam, std::uint32_t text, std::vector<Beam>* merged) {
  const auto number = static_cast<std::uint32_t>(merged->size());
  const std::uint32_t there = table_.find_or_put({text, beam.word, beam.label}, number);
  if (there == number) {
    merged->push_back(beam);
    return;
  }
  const double before = (*merged)[there].network;
  (*merged)[there] = beam;
  (*merged)[there].network = log_of_sum(before, beam.network);
}

void Search::keep_best(std::vector<Beam>* beams) const {
  double best = beams->front().total;
  for (const Beam& beam : *beams) best = beam.total > best ? beam.total : best;
  const double floor = best + cuts_.beam_floor;
  beams->erase(std::remove_if(beams->begin(), beams->end(),
                              [floor](const Beam& beam) { return !(beam.total >= floor); }),
               beams->end());
  std::stable_sort(beams->begin(), beams->end(),
                   [](const Beam& one, const Beam& other) { return one.total > other.total; });
  if (beams->size() > cuts_.beam_width) beams->resize(cuts_.beam_width);
}

// The newest label, the word being written and as many whole words as the model looks back on.
Search::History Search::history(const Beam& beam) const {
  History key{beam.word, beam.label};
  const int words = std::clamp(memory_->order() - 1, 1, static_cast<int>(key.size()) - 2);
  std::uint32_t text = beam.text;
  for (int i = 0; i < words && memory_->text(text).before != kNone; ++i) {
    key[static_cast<std::size_t>(i) + 2] = memory_->text(text).word;
    text = memory_->text(text).before;
  }
  return key;
}

void Search::prune_history(std::vector<Beam>* beams) const {
  std::set<History> seen;
  beams->erase(std::remove_if(beams->begin(), beams->end(),
                              [&](const Beam& beam) { return !seen.insert(history(beam)).second; }),
               beams->end());
}

void Search::advance(const double* log_probs, std::int32_t frame) {
  const std::size_t labels = steps_.size();
  std::size_t most = 0;
  for (std::size_t i = 1; i < labels; ++i) most = log_probs[i] > log_probs[most] ? i : most;
  next_.clear();
  table_.clear(labels * beams_.size());
  for (std::size_t i = 0; i < labels; ++i) {
    if (!(log_probs[i] >= cuts_.label_floor) && i != most) continue;
    for (const Beam& beam : beams_) {
      const Beam after = grown(beam, static_cast<std::uint32_t>(i), log_probs[i], frame);
      add_merged(after, after.text, &next_);
    }
  }
  for (Beam& beam : next_) {
    if (memory_->has_model()) {
      beam.total = beam.network + (memory_->text(beam.text).total + memory_->worth_of_begun(beam.word));
    } else {
      beam.total = beam.network + memory_->hot_score(beam.text) + memory_->worth_of_begun(beam.word);
    }
  }
  keep_best(&next_);
  if (cuts_.prune_history) prune_history(&next_);
  beams_.swap(next_);
}

std::vector<Answer> Search::finish() {
  std::vector<Beam> merged;
  table_.clear(beams_.size());
  for (Beam beam : beams_) {
    close_word(&beam);
    beam.next = beam.word;
    beam.word = 0;
    beam.label = kNoLabel;
    add_merged(beam, memory_->longer_text(beam.text, beam.next), &merged);
  }
  for (Beam& beam : merged) {
    const double hot = memory_->hot_score(memory_->longer_text(beam.text, beam.next));
    LmState after{};
    beam.total = memory_->has_model()
                     ? beam.network + (memory_->end_score(beam.text, beam.next, &after) + hot)
                     : beam.network + hot;
  }
  keep_best(&merged);
  std::vector<Answer> answers;
  for (const Beam& beam : merged) {
    Answer answer;
    answer.words = memory_->words_of(memory_->longer_text(beam.text, beam.next));
    answer.frames = memory_->frames_of(beam.frames);
    answer.network = beam.network;
    answer.total = beam.total;
    if (memory_->has_model()) memory_->end_score(beam.text, beam.next, &answer.state);
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace

std::vector<Answer> decode(const double* log_probs, std::size_t frames, const Labels& labels,
                           const Words& words, const Weights& weights, const HotWords& hot_words,
                           const Cuts& cuts, const LmState* start) {
  Memory memory(words, weights, hot_words, start);
  Search search(labels, cuts, &memory);
  for (std::size_t frame = 0; frame < frames; ++frame) {
    search.advance(log_probs + frame * labels.names.size(), static_cast<std::int32_t>(frame));
  }
  return search.finish();
}

}  // namespace speechmill::fusion
