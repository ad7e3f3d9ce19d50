// One conversation with a model: the tokens so far, and what the network remembers of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/constraint.h"
#include "lfm/export.h"
#include "lfm/mask.h"
#include "lfm/result.h"
#include "lfm/sampling.h"
#include "lfm/types.h"

namespace lfm {

namespace engine {
struct Model;
class SessionState;
}  // namespace engine

// How keys or values are kept, which is what every token reads of the whole context.
enum class CacheType : std::uint8_t {
  kF16,
  kQ8_0,  // 8 bits and a scale for each 32: about half the memory and time, hardly less exact
};

LFM_API const char* to_string(CacheType type) noexcept;

struct SessionOptions {
  std::size_t context_tokens = 0;  // room; 0: what the model was trained for, at most 32768
  // For states of earlier positions, which sync() goes back to. As much as one likes: there is one of a position at
  // most. Where the system doesn't give so much, fewer are kept, and four at least.
  std::size_t snapshot_bytes = std::size_t{64} << 20;
  CacheType cache_keys = CacheType::kF16;
  CacheType cache_values = CacheType::kF16;
};

struct SyncOptions {
  // Ascending; numbers of tokens after which a message ends, say: an edit of what follows one of them costs the new
  // tokens only. At most 64 of those in EngineOptions::chunk_tokens tokens are kept.
  std::span<const std::size_t> ends = {};

  std::stop_token cancel = {};          // as GenerateOptions::cancel
  ProgressCallback progress = nullptr;  // tokens that the session has, and all; the rules of callbacks hold
};

// Where a generation's next tokens are guessed.
enum class Draft : std::uint8_t {
  kOff,
  kLookup,  // in the session: where its last tokens (3 at least) stood before, what came behind them
  kModel,   // by the engine's draft network (EngineOptions::draft) and in the session, whichever promises more
};

LFM_API const char* to_string(Draft draft) noexcept;

struct GenerateOptions {
  std::size_t max_tokens = 256;  // thinking included
  SamplingOptions sampling = SamplingOptions::recommended();
  std::vector<std::string> stop = {};  // texts that end the generation; they aren't part of its text
  bool ignore_end = false;             // go on when the model says that it is done

  // Reads the form of a chat's answer: thinking and tool calls come as pieces of their own kinds, without their tags,
  // and stop strings count in kText alone. Otherwise all is kText, as the model says it. Where the session ends inside
  // an answer, as after kLength, generate() goes on from there. Chat::answer() sets this.
  bool structured = false;

  // Tokens of thinking in an answer, after which the end of the thinking is put into the session and the model has to
  // answer; it can't think again then, and its answer has one token at least. 0 ends thinking as it begins. None: no
  // limit but max_tokens. Needs `structured`.
  std::optional<std::size_t> thinking_budget = std::nullopt;

  // Asked before each token is chosen, after bias and penalties have been applied, which may come; not asked for the
  // tokens that thinking_budget puts in. Called on this thread; the rules of the piece callback hold.
  MaskCallback mask = nullptr;

  // What the answer has to be; of a structured generation what comes behind its thinking. Needs no sampler setting: the
  // sampler sees the tokens that are left. Generations end when the answer is complete and can't go on, when the model
  // ends it where it is complete, or with max_tokens, and then it may be the beginning of one. Text without a choice is
  // put in as the tokenizer writes it, several tokens at a time; the mask isn't asked for those.
  //   kUnsupported  calls with a vocabulary that has no tokens for them;   kState  going on with an answer that isn't
  //   the beginning of one;   kArgument  together with ignore_end
  std::optional<Constraint> constraint = std::nullopt;

  // Pieces tell the log-probability of each of their tokens and those of this many likeliest ones: the model's own,
  // whatever the sampling options and masks. 0: of the tokens alone. None: nothing is computed.
  std::optional<std::size_t> logprobs = std::nullopt;

  // Guessed tokens are read together with the last one that was said, and those that then turn out to be what is said
  // next need no pass of their own: two, or ten, tokens in one reading of the weights. Text, pieces and errors are
  // those of kOff, bit for bit, whatever is chosen above. As many are guessed as pay by what passes take here and by
  // what guesses have brought in this session, often none. Takes memory for the logits and the state behind each token
  // of a guess, 31 at most (18 MB with LFM2-8B-A1B), and about 120 bytes a token of the session.
  Draft draft = Draft::kOff;

  // Ends this call as Session::cancel() does, and no other one: a request that comes after its end, or comes again,
  // does nothing. From any thread, but not from a signal handler.
  std::stop_token cancel = {};

  // Of Chat::answer(): as SyncOptions::progress, while it reads the conversation.
  ProgressCallback prompt_progress = nullptr;

  // Of Chat::answer(): goes on with the last message, which is one of the assistant: an answer that ended with kLength,
  // say, or a beginning that the application gives it.
  bool continue_last = false;
};

enum class PieceKind : std::uint8_t {
  kText,           // the answer
  kReasoning,      // the thinking before it
  kToolCall,       // one call, complete
  kMalformedCall,  // what stood where a call belongs and can't be read as one; `error` says why
};

LFM_API const char* to_string(PieceKind kind) noexcept;

struct TokenLogprob {
  TokenId id;
  float logprob;  // natural logarithm of the probability
};

// A part of a generation as it streams. Everything is valid during the callback only.
struct Piece {
  std::string_view text;  // as the model wrote it, whole code points; of a call "f(city='Paris')"
  PieceKind kind = PieceKind::kText;
  std::string_view name = {};       // kToolCall: the function's name, such as "calendar.create_event"
  std::string_view arguments = {};  // kToolCall: a JSON object in the order of the arguments
  std::string_view error = {};      // kMalformedCall: one sentence without a full stop; kToolCall: what was repaired

  // The tokens that were said since the piece before: those of this text and of tags in front of it. Where a token is
  // of several pieces, the first has it. Tokens behind the last piece, such as a stop string's, are in
  // Session::tokens() alone.
  std::span<const TokenId> tokens = {};

  // With GenerateOptions::logprobs: one for each of them, and as many as asked for with each, the likeliest first.
  std::span<const float> logprobs = {};
  std::span<const TokenLogprob> top_logprobs = {};
};

enum class FinishReason : std::uint8_t {
  kEnd,          // the model said that it is done
  kStop,         // a stop string
  kLength,       // max_tokens
  kContextFull,  // no room for another token
  kCancelled,    // GenerateOptions::cancel, Session::cancel(), or a callback returned false
};

LFM_API const char* to_string(FinishReason reason) noexcept;

// How a generation went. Without GenerateOptions::structured all text is the answer's.
struct Finish {
  FinishReason reason = FinishReason::kEnd;
  std::size_t tokens = 0;            // generated, those of the forced end of thinking included
  std::size_t reasoning_tokens = 0;  // of them: thinking, with its tags
  std::size_t text_bytes = 0;        // handed out as kText
  std::size_t tool_calls = 0;        // handed out as kToolCall
  std::size_t malformed_calls = 0;   // handed out as kMalformedCall, however many pieces each took
  bool thinking_open = false;        // it ended before the thinking did
  bool thinking_cut = false;         // thinking_budget ended the thinking
  std::size_t passes = 0;            // that the tokens took
  std::size_t drafted = 0;           // tokens that were guessed (GenerateOptions::draft), and read in those passes
  std::size_t accepted = 0;          // of them: that were said
  double seconds = 0;
  std::uint64_t seed = 0;  // that was drawn with: SamplingOptions::seed, or the one that was chosen instead

  // Neither text nor a call came.
  bool empty() const noexcept { return text_bytes == 0 && tool_calls == 0 && malformed_calls == 0; }

  // For a person: "no answer in 256 tokens, 256 of them thinking: max_tokens is reached before the thinking ended".
  LFM_API std::string describe() const;
};

// What sync() did.
struct SyncInfo {
  std::size_t reused = 0;     // tokens whose state was there already
  std::size_t evaluated = 0;  // tokens that ran through the network
};

// Sums since the session was made; a fork begins with zeros, load() changes nothing.
struct SessionStats {
  std::size_t reused_tokens = 0;  // that sync() didn't have to evaluate
  std::size_t prompt_tokens = 0;  // evaluated by sync() and append()
  double prompt_seconds = 0;
  std::size_t generated_tokens = 0;
  double generate_seconds = 0;
  std::size_t generate_passes = 0;  // Finish::passes, and so on
  std::size_t drafted_tokens = 0;
  std::size_t accepted_tokens = 0;
};

// Threads: a session is used by one thread at a time, cancel() excepted; different sessions, forks of one included, by
// any number of threads at once.
// Lifetime: a session keeps its model alive. One that was moved from can be assigned to or destroyed, nothing else.
// Errors: kArgument, kLimit, kState and all errors of fork(), save() and load() leave the session as it was; kCancelled
// with the tokens that were evaluated until then, kNumeric without any; kNoMemory with some of the tokens, or none.
// kIo of what evaluates tokens: somebody wrote to the packed file that the model is mapped from (Load), and what it
// held couldn't be saved; without any tokens.
// Callbacks run on the calling thread. They may call cancel(), tokens(), logits() and the like; a call of their session
// that returns a result is kState, and in append() so is one of another session of the engine. What they throw reaches
// the caller; an append() leaves the session without tokens then.
class LFM_API Session {
 public:
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  // Makes the session's tokens exactly these: keeps the longest common beginning up to the nearest state that it still
  // has (one every 32 tokens, at the ends of calls but an append() of one token, at `ends`, and as far back as
  // snapshot_bytes go), and evaluates the rest. The result is that of a fresh session with these tokens, bit for bit.
  // An edit, another answer, going back, and taking off a stop string are all this.
  //   kArgument  an id outside the vocabulary (index);   kLimit  more tokens than the context has room for
  //   kCancelled, kNumeric, kNoMemory
  Result<SyncInfo> sync(std::span<const TokenId> tokens, const SyncOptions& options);
  Result<SyncInfo> sync(std::span<const TokenId> tokens, std::span<const std::size_t> ends = {}) {
    return sync(tokens, SyncOptions{ends});
  }

  using LogitsCallback = std::function<void(std::span<const float> logits)>;

  // Adds tokens at the end. With `each`, calls it for every one of them from tokens[from] on, in order, with the logits
  // (vocabulary) that follow it. Errors as sync(). While `each` runs, the engine's other sessions wait.
  Status append(std::span<const TokenId> tokens, const LogitsCallback& each = nullptr, std::size_t from = 0);

  // Samples and appends tokens until something ends it, handing out text as it is complete. Needs at least one token in
  // the session. The callback returns whether to go on. After a stop string tokens() holds its tokens too; a sync() to
  // the tokens before them, and something after, evaluates what is new only.
  //   kState  the session is empty;   kArgument  an option is out of range, or the mask leaves nothing
  //   kNumeric  the logits aren't numbers, or sampling options have taken all tokens away;   what the mask returns
  // An error between two tokens (of the mask, of sampling options) leaves those before it, handed out and counted.
  Result<Finish> generate(const GenerateOptions& options, const std::function<bool(const Piece&)>& callback);

  // Ends a sync(), append() or generate() that runs in another thread: within a layer of the network, or after the
  // token that is being generated. May be called from any thread and from a signal handler, as long as the session
  // isn't moved or destroyed meanwhile. When none runs, it ends the next one before its first token: a request is never
  // lost between two calls.
  void cancel() noexcept;

  // Forgets a cancel() that has come since a call ended, so that one who meant that call doesn't end the next.
  void clear_cancel() noexcept;

  // Another session with the same tokens, states and options, independent of this one from now on. The two share memory
  // as far as they stay the same. kNoMemory
  Result<Session> fork() const;

  // Writes tokens, states and logits to a file, so that load() goes on where this session is, with edits as cheap as
  // here. The file appears complete or not at all, replaces one of the same name, and only its owner may read it. The
  // first save() or load() of a model that wasn't opened from a packed file reads all its weights once to tell it from
  // others.   kIo, kNoMemory;   kState  another process is writing the file;   kArgument  not the name of a file, or
  // what is there is no regular file (a link, a device, a folder)
  Status save(const std::string& path) const;

  // Makes this session what was saved, whatever it holds. The file may come from anybody: every size and value in it
  // is checked. States beyond snapshot_bytes are thinned out.
  //   kFormat       damaged, or not a session (field, index, offset);   kUnsupported  another version of the format
  //   kArgument     saved with another model, or with other weights or another dense backend
  //   kLimit        more tokens than the context has room for;   kIo, kNoMemory
  Status load(const std::string& path);

  // Valid until the next call that isn't const.
  std::span<const TokenId> tokens() const noexcept;
  std::span<const float> logits() const noexcept;  // (vocabulary) after the last token; empty without tokens
  const SessionStats& stats() const noexcept;
  std::size_t context_tokens() const noexcept;  // room

 private:
  friend class Chat;
  friend class Diagnostics;
  friend class Engine;
  friend class SessionPool;
  explicit Session(std::unique_ptr<engine::SessionState> state) noexcept;
  std::unique_ptr<engine::SessionState> state_;
};

}  // namespace lfm
