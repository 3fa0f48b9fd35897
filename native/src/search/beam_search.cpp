#include "search/beam_search.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "search/beam_lanes.h"
#include "search/greedy.h"
#include "search/log_add.h"
#include "search/search.h"

namespace speechmill {

SearchOptions SearchOptions::preset(const std::string& mode, std::size_t beam_width, float alpha) {
  SearchOptions options;
  options.beam_width = beam_width;
  if (mode == "exact") return options;
  const bool fast = mode == "fast";
  if (fast || mode == "default") {
    // Where words weigh more, a text may be further behind before they bring it to the front.
    const float wider = std::max(1.0F, (1.0F + alpha) / 1.5F);
    options.label_floor = wider * std::log(1e-4F);
    options.score_threshold = wider * (fast ? 11.0F : 15.0F);
    options.crowd = fast ? 24 : 56;
    options.blank_skip = std::log(0.999F);
    options.doubt_labels = 50;
    return options;
  }
  throw DecodeError("mode \"" + mode + "\" is unknown; there are exact, default and fast");
}

BeamSearch::BeamSearch(const Alphabet& alphabet, const Scorer* scorer, const SearchOptions& options)
    : search_(std::make_unique<search::Search>(alphabet, scorer, options)) {}
BeamSearch::~BeamSearch() = default;
BeamSearch::BeamSearch(BeamSearch&&) noexcept = default;
BeamSearch& BeamSearch::operator=(BeamSearch&&) noexcept = default;
void BeamSearch::reset() {
  search_->reset();
}
void BeamSearch::feed(const float* log_probs, std::size_t frames) {
  search_->feed(log_probs, frames);
}
std::vector<Hypothesis> BeamSearch::finish(std::size_t n_best) const {
  return search_->finish(n_best);
}
std::size_t BeamSearch::frames() const {
  return search_->frames();
}
SearchUsage BeamSearch::usage() const {
  return search_->usage();
}

namespace search {

Search::Search(const Alphabet& alphabet, const Scorer* scorer, const SearchOptions& options)
    : alphabet_(alphabet),
      scorer_(scorer),
      options_(options),
      hot_(options_.hot_words.get()),
      past_(static_cast<std::int32_t>(alphabet.labels().size())),
      labels_(alphabet.labels().size() + 1, kImpossible) {
  check_options();
  if (alphabet.space() >= 0) space_ = alphabet.label_of(alphabet.space());
  const bool plain = hot_ == nullptr && labels_.size() <= kMaskLabels;
  if (scorer_ == nullptr) {
    kind_ = plain ? Kind::kFree : Kind::kGeneral;
  } else {
    const LexiconTrie& trie = scorer_->trie();
    words_end_ = trie.info().unit == LmUnit::kWords;
    const bool bitmap = trie.kind() == NodeKind::kBitmap;
    kind_ = plain && bitmap && words_end_ ? Kind::kBitmapWords : Kind::kGeneral;
    open_ = options_.open_vocabulary;
    letter_price_ = scorer_->alpha() * options_.oov_letter_penalty;
    LmState next;
    const float unknown = scorer_->model().score(scorer_->model().no_context(), 0, &next);
    oov_look_ = scorer_->alpha() * unknown + options_.oov_penalty;
    if (trie.pronounced()) {
      kind_ = Kind::kPronounced;
      labels_.resize(labels_.size() + trie.info().most_alike - 1, kImpossible);
    }
  }
  if (alphabet.kind() == LabelKind::kPieces) set_pieces();
  check_hot_words();
  cut_.set_width(options_.beam_width);
  live_.reserve(kFirstSlots);
  candidates_.reserve(2 * kFirstSlots);
  newcomers_.reserve(kFirstSlots);
  reset();
}

void Search::set_pieces() {
  kind_ = Kind::kPieces;
  pieces_ = PieceSteps(alphabet_, scorer_ == nullptr ? alphabet_.spelling() : scorer_->alphabet());
  if (scorer_ != nullptr) {
    piece_look_ = open_ ? std::max(0.0F, options_.oov_penalty) : 0.0F;
    piece_slack_ = std::max(0.0F, scorer_->beta()) + 2.0F * piece_look_;
  }
  if (hot_ == nullptr) return;
  hot_letters_ = PieceSteps(alphabet_, alphabet_.spelling());
  hot_space_ = alphabet_.spelling().label_of(alphabet_.spelling().space());
}

void Search::check_options() const {
  if (options_.beam_width < 1) throw DecodeError("beam_width must be at least 1");
  if (options_.doubt_labels < 2) throw DecodeError("doubt_labels must be at least 2");
  if (std::isnan(options_.label_floor) || std::isnan(options_.score_threshold) ||
      std::isnan(options_.blank_skip) || options_.score_threshold < 0.0F) {
    throw DecodeError(
        "label_floor, score_threshold and blank_skip must be numbers, score_threshold 0 or above");
  }
  if (!std::isfinite(options_.oov_penalty)) throw DecodeError("oov_penalty must be a finite number");
  if (!std::isfinite(options_.oov_letter_penalty) || options_.oov_letter_penalty > 0.0F)
    throw DecodeError("oov_letter_penalty must be a finite number, 0 or below");
  if (scorer_ == nullptr) {
    if (options_.open_vocabulary)
      throw DecodeError("open_vocabulary needs a scorer; without one, all is open");
    return;
  }
  if (scorer_->trie().pronounced()) check_pronounced();
  if (options_.open_vocabulary && scorer_->trie().info().unit == LmUnit::kCharacters)
    throw DecodeError("open_vocabulary needs a language model of words, this one is of characters");
  if (alphabet_.kind() == LabelKind::kPieces) {
    if (scorer_->trie().info().unit == LmUnit::kCharacters)
      throw DecodeError(
          "a network with pieces of words needs a language model of words, this one is of characters");
    check_spelling(alphabet_, scorer_->alphabet());
    return;
  }
  if (scorer_->alphabet().hash() != alphabet_.hash()) {
    throw DecodeError("the alphabet of the network (" + std::to_string(alphabet_.labels().size()) +
                      " labels, " + alphabet_.hash().substr(0, 16) +
                      "...) is not that of the language model (" +
                      std::to_string(scorer_->alphabet().labels().size()) + " labels, " +
                      scorer_->alphabet().hash().substr(0, 16) +
                      "...); build the language model with the network's alphabet.txt");
  }
}

// A lexicon never writes what it does not hold: a hot word outside of it would silently do nothing.
void Search::check_hot_words() const {
  if (hot_ == nullptr || scorer_ == nullptr || options_.open_vocabulary || !words_end_) return;
  for (const auto& [phrase, word] : hot_->words()) {
    std::string spelled;
    for (const int label : word) spelled += alphabet_.spelling().labels()[static_cast<std::size_t>(label)];
    std::vector<int> letters;
    if (scorer_->alphabet().try_encode(spelled, &letters)) {
      for (int& letter : letters) letter = scorer_->alphabet().label_of(letter);
      if (scorer_->trie().find(letters) != 0) continue;
    }
    throw DecodeError("hot phrase \"" + phrase + "\" holds \"" + spelled +
                      "\", which the lexicon does not; decode with open_vocabulary, or leave it out");
  }
}

void Search::reset() {
  WordContext start{};
  if (scorer_ != nullptr) start.state = scorer_->model().start();
  arena_.reset(start);
  if (hot_ != nullptr) arena_[0].hot_state = hot_->start();
  root_ = 0;
  settled_.clear();
  settled_confidence_.clear();
  rated_labels_ = 0;
  settle_at_ = 1024 + 8 * options_.beam_width;
  times_.clear();
  live_.clear();
  resize_arrays(std::min(options_.beam_width, kFirstSlots));
  live_.push_back({});
  set_slot(0, {make_live(0), 0.0F, 0.0F});
  now_.non_blank[0] = kImpossible;
  now_.blank[0] = 0.0F;
  top_mass_ = 0.0F;
  offset_ = 0.0;
  frame_ = 0;
}

void Search::feed(const float* log_probs, std::size_t frames) {
  for (std::size_t t = 0; t < frames; ++t) step(log_probs + t * alphabet_.size());
}

void Search::step(const float* row) {
  check_frame(row, alphabet_.size(), static_cast<std::size_t>(frame_));
  if (row[alphabet_.blank()] >= options_.blank_skip) {
    blank_ = row[alphabet_.blank()];
    skip_frame();
  } else {
    read_row(row);
    update();
    if (top_label_ > kImpossible) expand();
    select();
  }
  ++frame_;
  if (frame_ % kFramesBetweenDoubts == 0 || arena_.used() >= settle_at_) settle_labels();
}

namespace {

// Four at a time, so that no comparison waits for the one before.
float largest(const float* values, std::size_t count) {
  float top[4] = {kImpossible, kImpossible, kImpossible, kImpossible};
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) top[lane] = std::max(top[lane], values[i + lane]);
  }
  for (; i < count; ++i) top[0] = std::max(top[0], values[i]);
  return std::max(std::max(top[0], top[1]), std::max(top[2], top[3]));
}

}  // namespace

// Takes the best mass of the frame before out of this frame, so that masses stay near zero however long the
// audio is.
void Search::read_row(const float* row) {
  const auto count = static_cast<std::size_t>(past_);
  const auto blank = static_cast<std::size_t>(alphabet_.blank());
  for (std::size_t i = 0; i < blank; ++i) labels_[i] = row[i] - top_mass_;
  for (std::size_t i = blank; i < count; ++i) labels_[i] = row[i + 1] - top_mass_;
  blank_ = row[blank] - top_mass_;
  offset_ += static_cast<double>(top_mass_);
  taken_out_ = top_mass_;
  for (std::size_t i = count + 1; i < labels_.size(); ++i)
    labels_[i] = labels_[static_cast<std::size_t>(space_)];
  const float floor = options_.label_floor - top_mass_;
  top_label_ = largest(labels_.data(), count);
  if (!(top_label_ >= floor)) top_label_ = kImpossible;
  if (top_label_ == kImpossible) return;
  if (kind_ != Kind::kFree && kind_ != Kind::kBitmapWords) {
    sorted_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      if (labels_[i] >= floor && labels_[i] > kImpossible) sorted_.push_back(static_cast<std::int32_t>(i));
    }
    std::sort(sorted_.begin(), sorted_.end(), [this](std::int32_t a, std::int32_t b) {
      const float x = labels_[static_cast<std::size_t>(a)];
      const float y = labels_[static_cast<std::size_t>(b)];
      return x != y ? x > y : a < b;
    });
    return;
  }
  masks_.fill(0);
  for (std::size_t i = 0; i < count; ++i) {
    if (!(labels_[i] >= floor)) continue;
    const float bin =
        std::min((top_label_ - labels_[i]) * kMaskBinsPerNat, static_cast<float>(kMaskBins - 1));
    masks_[static_cast<std::size_t>(bin)] |= std::uint64_t{1} << i;
  }
  for (std::size_t bin = 1; bin < kMaskBins; ++bin) masks_[bin] |= masks_[bin - 1];
}

// All of the beam takes the blank; the common factor goes into the offset.
void Search::skip_frame() {
  offset_ += static_cast<double>(blank_);
  const std::size_t count = live_.size();
  std::fill_n(now_.non_blank.begin(), count, kImpossible);
  std::copy_n(now_.total.begin(), count, now_.blank.begin());
}

// Prepares the step of one live prefix: the label again, or the step from its own parent.
void Search::gather(std::size_t slot) {
  const Live& live = live_[slot];
  const float label = labels_[static_cast<std::size_t>(live.label)];
  own_[slot] = label + (live.boundary ? before_.total[slot] : before_.non_blank[slot]);
  const std::uint32_t above = live.parent == kNone ? kNone : arena_.slot(live.parent);
  if (above == kNone) {
    arriving_[slot] = kImpossible;
    return;
  }
  taken_[above] |= std::uint64_t{1} << (static_cast<unsigned>(live.label) & 63U);
  const float from = live_[above].label == live.label ? before_.blank[above] : before_.total[above];
  arriving_[slot] = label + from;
  // The better alignment takes the label here.
  if (arriving_[slot] > own_[slot] && arriving_[slot] > blank_ + before_.total[slot]) {
    new_times_.push_back({static_cast<std::uint32_t>(slot), times_.extend(live_[above].times, frame_)});
  }
}

// A beam of few prefixes has few ways back to the truth: it is cut further from its best than a crowded one.
float Search::threshold_of(std::size_t live) const {
  if (options_.crowd == 0) return options_.score_threshold;
  const float crowded =
      static_cast<float>(std::min(live, options_.crowd)) / static_cast<float>(options_.crowd);
  return options_.score_threshold * (1.0F - 0.5F * crowded);
}

// Carries every live prefix one frame on.
void Search::update() {
  std::swap(now_, before_);
  const std::size_t count = live_.size();
  std::fill_n(taken_.begin(), count, 0);
  for (std::size_t pad = count; pad % kLanes != 0; ++pad) {  // what fills the last lanes is impossible
    own_[pad] = arriving_[pad] = before_.total[pad] = kImpossible;
    words_[pad] = 0.0F;
  }
  for (std::size_t slot = 0; slot < count; ++slot) gather(slot);
  const LaneResult result =
      advance({count, blank_, own_.data(), arriving_.data(), before_.total.data(), words_.data(),
               now_.non_blank.data(), now_.blank.data(), now_.total.data(), score_.data()});
  best_ = result.best;
  top_mass_ = result.top_mass;
  candidates_.clear();
  threshold_ = threshold_of(count);
  cut_.start(best_ - threshold_);
  // A full beam: nothing can enter below its worst member.
  if (count >= options_.beam_width) cut_.raise(result.worst);
}

}  // namespace search
}  // namespace speechmill
