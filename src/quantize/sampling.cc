#include "quantize/sampling.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "base/checked.h"
#include "base/try.h"
#include "engine/generate/sampler.h"
#include "kernels/matmul/layout.h"
#include "model/forward.h"
#include "model/state.h"

namespace lfm::quantize {
namespace {

constexpr std::chrono::milliseconds kBetweenReports(100);

// Of a text. With one piece each, pieces that begin in the middle of something were rounded worse: nano's mean KL
// divergence over eight rotations (tests/support/rotated_model.h) was 1.15 of what a text of its own kind gives, with
// two 1.09, with three 1.03.
constexpr std::size_t kPieces = 3;

struct Network {
  engine::Runtime& runtime;
  const model::Weights& weights;
  const model::Config& config;
};

struct StopAtEnd {
  std::atomic<bool>& stop;
  ~StopAtEnd() { stop = true; }
};

// Goes on with a text up to `size` tokens. `said` is called for every token; false stops it.
Status go_on(const Network& network, std::vector<TokenId>& text, std::size_t size, std::uint64_t seed,
             const std::function<bool()>& said) {
  const std::size_t stride = base::round_up(network.config.vocab, kernels::kTileRows);
  LFM_ASSIGN(model::State state, model::State::create(network.config, size));
  SamplingOptions sampling;
  sampling.seed = seed;
  LFM_ASSIGN(engine::Sampler sampler, engine::Sampler::create(sampling, network.config.vocab, size));
  sampler.set_context(text);
  std::vector<float> logits(stride);
  std::size_t read = 0;
  while (text.size() < size) {
    while (read < text.size()) {
      const std::size_t count = std::min(text.size() - read, network.runtime.chunk_tokens());
      LFM_TRY(state.make_room(count));
      network.runtime.step(network.weights, network.config, state, std::span(text).subspan(read, count),
                           {.logits = logits.data(), .stride = stride, .said = count == 1});
      read += count;
    }
    LFM_ASSIGN(const TokenId token, sampler.sample(std::span(logits).first(network.config.vocab)));
    sampler.accept(token);
    text.push_back(token);
    if (!said()) return Error{ErrorCode::kCancelled, "stopped"};
  }
  return {};
}

// The first pieces of all texts, then the second ones, and so on: whoever takes a few has them of different texts.
Texts cut_all(const text::Tokenizer& tokenizer, const Texts& texts, std::size_t window) {
  std::vector<Texts> each;
  std::size_t most = 0;
  for (const std::vector<TokenId>& text : texts) {
    each.push_back(cut_tokens(tokenizer, text, window));
    most = std::max(most, each.back().size());
  }
  Texts all;
  for (std::size_t i = 0; i < most; ++i) {
    for (Texts& pieces : each) {
      if (i < pieces.size()) all.push_back(std::move(pieces[i]));
    }
  }
  return all;
}

}  // namespace

Result<Texts> sample_texts(engine::Runtime& runtime, const model::Weights& weights, const model::Config& config,
                           const text::Tokenizer& tokenizer, std::size_t tokens, std::size_t window,
                           const std::function<bool(double part)>& progress) {
  const std::size_t pieces = (tokens + window - 1) / window;
  const std::size_t most = std::clamp<std::size_t>(config.max_positions() / window, 1, kPieces);  // of a text
  const std::size_t front = tokenizer.bos() ? 1 : 0;  // what begins a text, which each piece gets
  Texts texts((pieces + most - 1) / most);
  const auto size_of = [&](std::size_t i) { return std::min(most, pieces - i * most) * (window - front) + front; };
  std::size_t all = 0;  // tokens to be sampled
  for (std::size_t i = 0; i < texts.size(); ++i) {
    LFM_ASSIGN(texts[i], beginning_of_text(tokenizer, i));
    if (texts[i].size() >= window)
      return Error{ErrorCode::kUnsupported, "the context is too short to calibrate itself"};
    all += size_of(i) - texts[i].size();
  }
  const Network network{runtime, weights, config};
  std::atomic<std::size_t> next = 0, sampled = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;  // of what follows
  std::condition_variable changed;
  std::size_t writing = 0;
  Status failure;
  const auto write = [&] {
    Status status;
    try {
      for (std::size_t i = next++; i < texts.size() && status.ok(); i = next++) {
        status = go_on(network, texts[i], size_of(i), i, [&] {
          ++sampled;
          return !stop;
        });
      }
    } catch (const std::bad_alloc&) {
      status = Error{ErrorCode::kNoMemory, "no memory to write a text in"};
    }
    if (!status.ok()) stop = true;
    const std::lock_guard lock(mutex);
    if (failure.ok()) failure = std::move(status);
    --writing;
    changed.notify_one();
  };
  std::vector<std::jthread> writers;  // who step together: a pass of the network is for all of them
  const StopAtEnd stops{stop};        // before they are joined
  for (std::size_t i = 0; i < std::min(model::kMaxRuns, texts.size()); ++i) {
    {
      const std::lock_guard lock(mutex);
      ++writing;
    }
    try {
      writers.emplace_back(write);
    } catch (const std::system_error&) {
      // No more may be started. What is written doesn't depend on how many there are.
      const std::lock_guard lock(mutex);
      --writing;
      break;
    }
  }
  if (writers.empty()) return Error{ErrorCode::kNoMemory, "no thread may be started to write a text"};
  std::unique_lock lock(mutex);
  while (writing > 0) {
    changed.wait_for(lock, kBetweenReports);
    lock.unlock();
    if (!stop && !progress(static_cast<double>(sampled) / static_cast<double>(all))) stop = true;
    lock.lock();
  }
  if (!failure.ok()) return failure.error();
  return cut_all(tokenizer, texts, window);
}

}  // namespace lfm::quantize
