// Conversations of many users with one model: what was read once isn't read again, and what was answered is known when
// it comes back as text.
//
//   auto pool = lfm::SessionPool::create(*engine);
//   std::vector<lfm::Message> messages = ...;  // as a client sent them
//   pool->recall(messages);
//   auto chat = lfm::Chat::create(*engine, {.tools = tools, .date = pool->date(messages)});
//   auto answer = pool->answer(*chat, messages, options, callback);
//
// or, for those who render, read and generate themselves, take(), keep() and remember().
//
// A pool holds states, not sessions: what it was given goes on being the caller's, and any number of sessions may begin
// with what it holds. They share memory with it and with each other as far as they are the same (a system prompt is
// there once, however many users have it), and none sees what another one adds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lfm/chat.h"
#include "lfm/engine.h"
#include "lfm/export.h"
#include "lfm/result.h"
#include "lfm/session.h"
#include "lfm/types.h"

namespace lfm {

struct SessionPoolOptions {
  SessionOptions session = {};  // of all sessions of the pool

  // Most memory for what is held, of which those states go first that weren't used for longest. Sessions that are in
  // use count as far as the pool holds what they hold. 0: an eighth of the machine's memory, at most 4 GiB.
  std::uint64_t bytes = 0;

  // Most memory for remembered answers, likewise.
  std::uint64_t answer_bytes = std::uint64_t{16} << 20;
};

struct SessionPoolStats {
  std::size_t states = 0;
  std::uint64_t bytes = 0;  // what is shared counts once
  std::uint64_t most_bytes = 0;
  std::size_t answers = 0;
  std::uint64_t answer_bytes = 0;
  std::uint64_t taken = 0;         // sessions, since the pool was made
  std::uint64_t taken_tokens = 0;  // that they began with
  std::uint64_t evicted = 0;       // states that went for want of room
};

// For any number of threads; copies are the same pool. What takes time (reading, generating, files) keeps nobody else
// waiting.
class LFM_API SessionPool {
 public:
  // kLimit, kNoMemory: as Engine::new_session()
  static Result<SessionPool> create(const Engine& engine, const SessionPoolOptions& options);
  static Result<SessionPool> create(const Engine& engine) { return create(engine, SessionPoolOptions{}); }

  // A session whose tokens are the longest beginning of these that is known; an empty one where none is. sync() it to
  // all of them: its SyncInfo tells how many needn't be read. kNoMemory
  Result<Session> take(std::span<const TokenId> tokens) const;

  // From now on what the session holds, or its first `tokens` ones up to the nearest state that it has, is known. Costs
  // next to nothing. States that are a beginning of it go, but for those that were kept by a call with `tokens`: the
  // end of a system prompt, say, from which others go on. Nothing is kept where it is larger than the pool.
  //   kArgument  another engine's session, or one with other options ("session");   kNoMemory
  Status keep(const Session& session) const;
  Status keep(const Session& session, std::size_t tokens) const;

  // Chat::answer() with a session of the pool: takes one, reads the conversation, keeps what has been read, generates,
  // keeps and remembers that. Messages are recalled (see below). Two who ask the same at the same time both read it.
  //   as Chat::answer();   kArgument  another engine's chat ("chat")
  Result<Answer> answer(const Chat& chat, std::span<const Message> messages, const GenerateOptions& options,
                        const Chat::PieceCallback& callback = nullptr) const;

  // Remembers an answer, as Chat::answer() and Chat::read_answer() give it, to this conversation. One without thinking
  // and tokens needn't be. kNoMemory
  Status remember(const Chat& chat, std::span<const Message> conversation, const Message& answer) const;

  // Fills in what the model thought and the tokens it said (Message::reasoning, tokens) where an assistant's message is
  // one that was remembered for the very conversation before it, and puts its text and calls as they were said. White
  // space around texts and the way in which calls' arguments are spelt don't matter, nor what a client tells or leaves
  // out of the thinking; but thinking that differs stays as it is. Nobody is given another conversation's. kNoMemory
  Status recall(std::vector<Message>& messages) const;

  // ChatOptions::date for this conversation: that of the chat which gave its first answer that is remembered, so that
  // midnight changes no prompt. Empty where none is: today.
  std::string date(std::span<const Message> messages) const;

  SessionPoolStats stats() const;
  void clear() const;  // forgets all

  // Writes the states to files of a folder, which is made where it is missing; what other files of earlier calls hold
  // isn't written again, or goes. Session::save() tells what a file holds and who may read it. Answers aren't written.
  //   kIo, kNoMemory, kState   as Session::save(), of the first file with which it doesn't work; the others are written
  Status save(const std::string& folder) const;

  // Takes in the states that such a folder has, the last used ones first, as long as there is room. Files that can't be
  // used are left out, and told. A folder that isn't there has none.   kIo: the folder can't be read
  struct Loaded {
    std::size_t states = 0;
    std::vector<Error> left_out;  // the field is the file's name
  };
  Result<Loaded> load(const std::string& folder) const;

 private:
  struct Inner;
  explicit SessionPool(std::shared_ptr<Inner> inner) noexcept : inner_(std::move(inner)) {}
  std::shared_ptr<Inner> inner_;
};

}  // namespace lfm
