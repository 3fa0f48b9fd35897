#include "language_models.h"

#include <sys/stat.h>

#include <cstdlib>
#include <map>
#include <mutex>

namespace speechmill {
namespace {

// What a folder's binary is: place, size and time, so that a replaced file is another one. TensorFlow's own
// resource manager would know the path only, and keep the model until the process ends.
std::string identity_of(const std::string& directory) {
  const std::string path = directory + "/lm.binary";
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return path;  // loading says what is wrong
  return std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino) + ":" +
         std::to_string(facts.st_size) + ":" + std::to_string(facts.st_mtim.tv_sec) + "." +
         std::to_string(facts.st_mtim.tv_nsec);
}

}  // namespace

std::shared_ptr<const Scorer> shared_scorer(const std::string& directory) {
  static std::mutex mutex;
  static auto* const loaded = new std::map<std::string, std::weak_ptr<const Scorer>>();  // outlives kernels
  const std::string identity = identity_of(directory);
  const std::lock_guard<std::mutex> lock(mutex);
  std::weak_ptr<const Scorer>& entry = (*loaded)[identity];
  if (std::shared_ptr<const Scorer> there = entry.lock()) return there;
  auto scorer = std::make_shared<const Scorer>(Scorer::load(directory, Weights{}));
  entry = scorer;
  return scorer;
}

}  // namespace speechmill
