// A conversation with a model: what was said, the session that remembers it, and the answers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "lfm/lfm.h"
#include "talk/conversation.h"

namespace lfm::cli {

struct TalkOptions {
  SessionOptions session;
  GenerateOptions generate = {};
  ChatOptions chat = {};                           // its tools are the conversation's
  std::optional<ToolConstraint> tool_choice = {};  // what calls are held to, in place of generate.constraint
};

// What happened since the program started.
struct Tally {
  std::size_t answers = 0;
  std::size_t reused_tokens = 0;  // of prompts
  Answer last = {};
  double last_prompt_seconds = 0;
};

class Talk {
 public:
  // Errors as of Engine::new_session() and Chat::create().
  static Result<Talk> open(Engine engine, const TalkOptions& options, Conversation conversation);

  const Engine& engine() const noexcept { return engine_; }
  Session& session() noexcept { return session_; }
  std::size_t context_tokens() const noexcept { return session_.context_tokens(); }
  const Chat& chat() const noexcept { return chat_; }
  const Conversation& conversation() const noexcept { return conversation_; }
  const Tally& tally() const noexcept { return tally_; }

  void set_system(std::string system) { conversation_.system = std::move(system); }
  Status set_tools(std::string tools);  // the conversation keeps those it had where they can't be taken
  void clear();                         // forgets the messages

  Status undo(std::size_t n) { return conversation_.undo(n); }
  void cut(std::size_t messages) { conversation_.messages.resize(messages); }  // to so many

  // Answers the last message again, otherwise where the answer is drawn by lot. kState.
  Status take_answer();

  // Adds a message to be answered: of the user, or a tool's result.
  void add(Message message);

  // Takes this as the answer to what was said, in place of the one that is there.
  void set_answer(Message message);

  // What was said, to go back to where an answer fails.
  struct Mark {
    std::vector<Message> messages;
    std::uint64_t attempt = 0;
  };
  Mark mark() const { return {conversation_.messages, attempt_}; }
  void back_to(Mark mark);

  // The model's answer to the messages, which is added to them where anything came. Errors as Chat::answer(); the
  // messages stay as they were. `progress`: of reading them.
  Result<Answer> answer(const Chat::PieceCallback& callback, ProgressCallback progress = nullptr);

  // The file of talk/saved.h, and FILE.state beside it. Notes tell what went wrong with the latter.
  Result<std::vector<std::string>> save(const std::string& path);
  Result<std::vector<std::string>> load(const std::string& path);

 private:
  Talk(Engine engine, Session session, Chat chat, const TalkOptions& options, Conversation conversation)
      : engine_(std::move(engine)),
        session_(std::move(session)),
        chat_(std::move(chat)),
        options_(options),
        conversation_(std::move(conversation)) {}

  Engine engine_;
  Session session_;
  Chat chat_;
  TalkOptions options_;
  Conversation conversation_;
  std::uint64_t attempt_ = 0;  // answers to the last message so far, which the seed counts up
  Tally tally_;
};

}  // namespace lfm::cli
