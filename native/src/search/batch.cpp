#include "search/batch.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "search/greedy.h"

namespace speechmill {
namespace {

void check_batch(const Batch& batch, const Alphabet& alphabet) {
  if (batch.labels != alphabet.size()) {
    throw DecodeError("log_probs have " + std::to_string(batch.labels) + " labels, the alphabet has " +
                      std::to_string(alphabet.size()) + " (" + std::to_string(alphabet.labels().size()) +
                      " and the blank)");
  }
  if (batch.lengths.size() != batch.utterances) {
    throw DecodeError(std::to_string(batch.lengths.size()) + " lengths for " +
                      std::to_string(batch.utterances) + " utterances");
  }
  for (std::size_t i = 0; i < batch.utterances; ++i) {
    if (batch.lengths[i] > batch.frames) {
      throw DecodeError("length " + std::to_string(batch.lengths[i]) + " of utterance " + std::to_string(i) +
                        " is more than the " + std::to_string(batch.frames) + " frames of log_probs");
    }
  }
}

const float* row_of(const Batch& batch, std::size_t utterance) {
  return batch.log_probs + utterance * batch.frames * batch.labels;
}

// Utterances by length, so that no thread is left with a long one when the others have finished.
std::vector<std::size_t> longest_first(const std::vector<std::size_t>& lengths) {
  std::vector<std::size_t> order(lengths.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&lengths](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
  return order;
}

// The error of the first utterance that failed, whatever thread met it first.
class FirstError {
public:
  void note(std::size_t utterance, const char* what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (failed_ && utterance >= utterance_) return;
    failed_ = true;
    utterance_ = utterance;
    what_ = what;
  }
  void rethrow() const {
    if (failed_) throw DecodeError("utterance " + std::to_string(utterance_) + ": " + what_);
  }

private:
  std::mutex mutex_;
  bool failed_ = false;
  std::size_t utterance_ = 0;
  std::string what_;
};

}  // namespace

std::vector<std::vector<Hypothesis>> decode_batch(const Batch& batch, const Alphabet& alphabet,
                                                  const Scorer* scorer, const SearchOptions& options,
                                                  std::size_t n_best, std::size_t threads) {
  check_batch(batch, alphabet);
  if (n_best < 1) throw DecodeError("n_best must be at least 1");
  if (threads < 1) throw DecodeError("threads must be at least 1");
  BeamSearch own(alphabet, scorer, options);  // refuses what does not fit before any thread starts
  std::vector<std::vector<Hypothesis>> answers(batch.utterances);
  const std::vector<std::size_t> order = longest_first(batch.lengths);
  std::atomic<std::size_t> next{0};
  FirstError error;
  const auto work = [&](BeamSearch& search) {
    for (std::size_t turn = next++; turn < batch.utterances; turn = next++) {
      const std::size_t i = order[turn];
      try {
        search.reset();
        search.feed(row_of(batch, i), batch.lengths[i]);
        answers[i] = search.finish(n_best);
      } catch (const std::exception& failure) {
        error.note(i, failure.what());
      }
    }
  };
  std::vector<std::thread> helpers;
  for (std::size_t t = 1; t < std::min(threads, batch.utterances); ++t)
    helpers.emplace_back([&]() {
      BeamSearch search(alphabet, scorer, options);
      work(search);
    });
  work(own);
  for (std::thread& helper : helpers) helper.join();
  error.rethrow();
  return answers;
}

std::vector<Hypothesis> greedy_batch(const Batch& batch, const Alphabet& alphabet) {
  check_batch(batch, alphabet);
  std::vector<Hypothesis> answers;
  for (std::size_t i = 0; i < batch.utterances; ++i) {
    try {
      answers.push_back(greedy_decode(alphabet, row_of(batch, i), batch.lengths[i]));
    } catch (const DecodeError& failure) {
      throw DecodeError("utterance " + std::to_string(i) + ": " + failure.what());
    }
  }
  return answers;
}

}  // namespace speechmill
