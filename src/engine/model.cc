#include "engine/model.h"

#include <algorithm>
#include <span>
#include <vector>

#include "base/checksum.h"

namespace lfm::engine {

std::shared_ptr<const constrain::TokenTrie> TokenTrieOnce::get(const text::Tokenizer& tokenizer) const {
  const std::lock_guard lock(mutex_);
  if (!trie_) trie_ = std::make_shared<const constrain::TokenTrie>(tokenizer);
  return trie_;
}

std::uint64_t Fingerprint::value(const Model& model) const {
  const std::lock_guard lock(mutex_);
  if (!weights_sum_) {
    const std::span<const std::byte> weights = model.packed.bytes();
    std::vector<std::uint64_t> sums((weights.size() + format::kPackChunk - 1) / format::kPackChunk);
    model.runtime->run([&](base::Worker& worker) {
      worker.for_each_task(sums.size(), [&](std::size_t i) {
        const std::size_t begin = i * format::kPackChunk;
        sums[i] = base::checksum(weights.subspan(begin, std::min(format::kPackChunk, weights.size() - begin)));
      });
    });
    weights_sum_ = base::checksum(std::as_bytes(std::span(sums)));
  }
  return base::checksum(std::as_bytes(std::span(&*weights_sum_, 1)), identity_sum_);
}

Status Model::check_process() const {
  if (process.is_this()) return {};
  return Error{ErrorCode::kState, "was opened before fork(2): its threads are in the parent process", "engine"};
}

std::shared_ptr<const Model> Model::share(std::unique_ptr<const Model> model) {
  return std::shared_ptr<const Model>(model.release(), [](const Model* last) {
    if (last->process.is_this()) delete last;
  });
}

}  // namespace lfm::engine
