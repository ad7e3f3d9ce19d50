// A model as the engine holds it: immutable once loaded, but for the runtime that forward passes take turns at.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "base/process.h"
#include "chat/form.h"
#include "constrain/match/token_trie.h"
#include "engine/load/draft.h"
#include "engine/load/model_file.h"
#include "engine/load/pack_cache.h"
#include "engine/runtime/runtime.h"
#include "lfm/engine.h"
#include "model/config.h"
#include "model/weights.h"
#include "text/tokenizer.h"

namespace lfm::engine {

struct Model;

// Which model it is, by all bytes that a session's state depends on: metadata and packed weights, whose layout also
// tells the backend. 64 bits, against mistakes.
class Fingerprint {
 public:
  // weights_sum as format::PackFile's, where that is known.
  Fingerprint(std::uint64_t identity_sum, std::optional<std::uint64_t> weights_sum) noexcept
      : identity_sum_(identity_sum), weights_sum_(weights_sum) {}

  // Reads all weights the first time where their sum isn't known. From any number of threads.
  std::uint64_t value(const Model& model) const;

 private:
  std::uint64_t identity_sum_;
  mutable std::mutex mutex_;
  mutable std::optional<std::uint64_t> weights_sum_;
};

// The vocabulary as constraints read it, made when the first one is used.
class TokenTrieOnce {
 public:
  std::shared_ptr<const constrain::TokenTrie> get(const text::Tokenizer& tokenizer) const;

 private:
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const constrain::TokenTrie> trie_;
};

struct Model {
  model::Config config;
  text::Tokenizer tokenizer;
  PackedBytes packed;
  model::Weights weights;
  ModelInfo info;
  SamplingOptions sampling;  // recommended
  chat::FoundForm chat_form;
  std::unique_ptr<Runtime> runtime;
  Fingerprint fingerprint;
  std::unique_ptr<CacheWriter> cache;  // null where nothing is written; reads `packed` until it ends
  std::unique_ptr<DraftModel> draft;   // null where none was asked for
  base::Process process = {};          // that has its threads

  // kState in a child of that process.
  Status check_process() const;

  // The model is left alone in a child: its end would wait for threads that aren't there.
  static std::shared_ptr<const Model> share(std::unique_ptr<const Model> model);
  TokenTrieOnce trie = {};

  const model::Config* draft_config() const noexcept { return draft != nullptr ? &draft->network.config : nullptr; }
  std::shared_ptr<const constrain::TokenTrie> token_trie() const { return trie.get(tokenizer); }
};

}  // namespace lfm::engine
