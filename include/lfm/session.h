// One conversation with a model: the tokens so far, and what the network remembers of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"
#include "lfm/sampling.h"
#include "lfm/types.h"

namespace lfm {

namespace engine {
struct Model;
class SessionState;
}  // namespace engine

struct SessionOptions {
  std::size_t context_tokens = 0;                      // room; 0: what the model was trained for, at most 32768
  std::size_t snapshot_bytes = std::size_t{64} << 20;  // for states of earlier positions, which sync() goes back to
};

struct GenerateOptions {
  std::size_t max_tokens = 256;
  SamplingOptions sampling = {};
  std::vector<std::string> stop = {};  // texts that end the generation; they aren't part of its text
  bool ignore_end = false;             // go on when the model says that it is done
};

// A part of a generation as it streams: whole code points.
struct Piece {
  std::string_view text;  // valid during the callback
};

enum class FinishReason : std::uint8_t {
  kEnd,          // the model said that it is done
  kStop,         // a stop string
  kLength,       // max_tokens
  kContextFull,  // no room for another token
  kCancelled,    // cancel(), or the callback returned false
};

const char* to_string(FinishReason reason) noexcept;

struct Finish {
  FinishReason reason = FinishReason::kEnd;
  std::size_t tokens = 0;  // generated
};

// What sync() did.
struct SyncInfo {
  std::size_t reused = 0;     // tokens whose state was there already
  std::size_t evaluated = 0;  // tokens that ran through the network
};

struct SessionStats {
  std::size_t prompt_tokens = 0;  // evaluated as prompt
  double prompt_seconds = 0;
  std::size_t generated_tokens = 0;
  double generate_seconds = 0;
};

// Used by one thread at a time, cancel() excepted; may be moved. kArgument and kLimit leave the session as it was,
// kCancelled with the tokens that were evaluated until then, kNumeric without any.
class Session {
 public:
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // Makes the session's tokens exactly these: keeps the longest common beginning up to the nearest state that it still
  // has (one every 32 tokens, at the ends of calls, and as far back as snapshot_bytes go), and evaluates the rest. The
  // result is that of a fresh session with these tokens, bit for bit. An edit, another answer, and going back are this.
  //   kArgument  an id outside the vocabulary (index);   kLimit  more tokens than the context has room for
  //   kCancelled, kNumeric
  Result<SyncInfo> sync(std::span<const TokenId> tokens);

  // Adds tokens at the end. With `each`, calls it for every one of them in order with the logits (vocabulary) that
  // follow it. Errors as sync().
  using LogitsCallback = std::function<void(std::span<const float> logits)>;
  Status append(std::span<const TokenId> tokens, const LogitsCallback& each = nullptr);

  // Samples and appends tokens until something ends it, handing out text as it is complete. Needs at least one token in
  // the session. The callback returns whether to go on.
  //   kState  the session is empty;   kArgument  an option is out of range;   kNumeric  the logits aren't numbers
  Result<Finish> generate(const GenerateOptions& options, const std::function<bool(const Piece&)>& callback);

  // Ends a sync(), append() or generate() that runs in another thread as soon as its present step is done. May be
  // called from any thread and from a signal handler. It holds until the call that it ends has returned.
  void cancel() noexcept;

  std::span<const TokenId> tokens() const noexcept;
  std::size_t context_tokens() const noexcept;     // room
  std::span<const float> logits() const noexcept;  // (vocabulary) after the last token; empty without tokens
  const SessionStats& stats() const noexcept;

 private:
  friend class Engine;
  explicit Session(std::unique_ptr<engine::SessionState> state) noexcept;
  std::unique_ptr<engine::SessionState> state_;
};

}  // namespace lfm
