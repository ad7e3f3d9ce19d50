// A tiny model loaded through the public API, and what tests ask of its sessions.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "lfm/lfm.h"
#include "support/temp_file.h"
#include "support/tiny_model.h"

namespace lfm::test {

class TinyEngine {
 public:
  explicit TinyEngine(const TinyModel& model = {}, const EngineOptions& options = {.threads = 1})
      : file_(model.build()), engine_(open(options)) {}

  // The same file with other options.
  Engine open(const EngineOptions& options) const {
    auto engine = Engine::open(file_.path(), options);
    if (!engine.ok()) throw std::runtime_error(engine.error().describe());
    return *std::move(engine);
  }

  const Engine& engine() const noexcept { return engine_; }
  const std::string& path() const noexcept { return file_.path(); }

  Session session(std::size_t context_tokens = 0) const { return new_session(engine_, context_tokens); }

  static Session new_session(const Engine& engine, std::size_t context_tokens = 0) {
    return new_session(engine, {.context_tokens = context_tokens});
  }
  static Session new_session(const Engine& engine, const SessionOptions& options) {
    auto session = engine.new_session(options);
    if (!session.ok()) throw std::runtime_error(session.error().describe());
    return *std::move(session);
  }

 private:
  TempFile file_;
  Engine engine_;
};

// Keys and values of 8 bits.
inline constexpr SessionOptions kQ8Cache = {.cache_keys = CacheType::kQ8_0, .cache_values = CacheType::kQ8_0};

inline std::vector<TokenId> random_tokens(std::size_t count, std::uint32_t seed, TokenId vocabulary = 300) {
  std::mt19937 random(seed);
  std::vector<TokenId> ids(count);
  for (TokenId& id : ids) id = static_cast<TokenId>(random() % static_cast<std::uint32_t>(vocabulary));
  return ids;
}

inline std::vector<TokenId> tokens_of(const Session& session) {
  return {session.tokens().begin(), session.tokens().end()};
}

inline std::vector<float> logits_of(const Session& session) {
  return {session.logits().begin(), session.logits().end()};
}

struct Generated {
  Finish finish;
  std::string text;
  std::optional<Error> error;
};

inline Generated generate(Session& session, const GenerateOptions& options) {
  Generated out;
  auto finish = session.generate(options, [&](const Piece& piece) {
    out.text += piece.text;
    return true;
  });
  if (finish.ok()) {
    out.finish = *finish;
  } else {
    out.error = finish.error();
  }
  return out;
}

inline GenerateOptions greedy(std::size_t max_tokens) {
  GenerateOptions options;
  options.max_tokens = max_tokens;
  options.sampling = SamplingOptions{.temperature = 0};
  options.ignore_end = true;
  return options;
}

}  // namespace lfm::test
