// Conversations: messages to tokens in the form that a model was trained on, and its answers back to messages.
//
//   auto engine = lfm::Engine::open("LFM2.5-8B-A1B-Q4_0.gguf");
//   auto session = engine->new_session();
//   auto chat = lfm::Chat::create(*engine, {.tools = R"([{"name": "get_weather", "parameters": {...}}])"});
//   std::vector<lfm::Message> messages = {{lfm::Role::kUser, "Is it warm in Paris?"}};
//   auto answer = chat->answer(*session, messages, {.max_tokens = 500},
//                              [](const lfm::Piece& piece) { std::cout << piece.text; return true; });
//   messages.push_back(answer->message);
//   for (const lfm::ToolCall& call : answer->message.tool_calls) {
//     messages.push_back({lfm::Role::kTool, run(call.name, call.arguments)});
//   }
//   ... and answer() again.
//
// The conversation is the application's vector of messages: to edit, undo or branch, change it or copy it, and call
// answer() with it. What the session holds of it already isn't evaluated again (Session::sync()).
//
// Text in messages is nothing but text: whatever it spells, it becomes no token of the form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/engine.h"
#include "lfm/export.h"
#include "lfm/result.h"
#include "lfm/session.h"
#include "lfm/types.h"

namespace lfm {

namespace chat {
class Template;
}

enum class Role : std::uint8_t { kSystem, kUser, kAssistant, kTool };

LFM_API const char* to_string(Role role) noexcept;  // "system", "user", "assistant", "tool"

struct ToolCall {
  std::string name;              // "get_weather", "calendar.create_event"
  std::string arguments = "{}";  // a JSON object

  bool operator==(const ToolCall&) const = default;
};

struct Message {
  Role role = Role::kUser;
  std::string content = {};               // UTF-8; of a tool its result, usually JSON
  std::string reasoning = {};             // kAssistant: what it thought, without tags
  std::vector<ToolCall> tool_calls = {};  // kAssistant

  // kAssistant: the tokens that the model said this with, as answer() gives them, so that they need not be evaluated
  // again; text doesn't tell, since a model may spell it otherwise than the tokenizer. They count only as long as they
  // say exactly what the other fields say, so that these may be changed freely. May be empty.
  std::vector<TokenId> tokens = {};
};

// A conversation as a JSON array and back, for files: what it says, and the tokens that spare reading it again.
//
//   [{"role": "user", "content": "Is it warm in Paris?"},
//    {"role": "assistant", "content": "", "reasoning": "...", "tool_calls": [{"name": "f", "arguments": {...}}],
//     "tokens": [1, 2]},
//    {"role": "tool", "content": "..."}]
//
// Text that isn't UTF-8 is made so. As OpenAI writes them messages are read too: "developer", content in parts or null,
// "reasoning_content", calls as {"function": {"name", "arguments": "{...}"}}.
//   kFormat  no such JSON (offset; or field, and the message as index)
LFM_API Result<std::string> to_json(std::span<const Message> messages);
LFM_API Result<std::vector<Message>> messages_from_json(std::string_view json);

// How a conversation is written: by the file's own chat template (Jinja, as Hugging Face transformers runs it), in
// which nothing but the template's own text becomes tokens of the form. A file without one, and one whose template
// can't be run, gets what is recognised in it, and a note. The forms by name are built in.
enum class ChatForm : std::uint8_t {
  kFromModel,
  kChatMl,  // what all have in common: <|im_start|>ROLE, a new line, the content, <|im_end|>, a new line
  kLfm2,    // tools and their results between tokens of their own
  kLfm25,   // LFM2.5-8B-A1B: tools as one JSON list under a date, calls as Python writes them, past thinking left out
};

LFM_API const char* to_string(ChatForm form) noexcept;  // "from model", "chatml", "lfm2", "lfm2.5"

// A part of a form of the application's own.
struct ChatSegment {
  std::string text;
  bool token = false;  // the control token with this name, such as "<|im_start|>"; otherwise plain text
};

struct ChatOptions {
  ChatForm form = ChatForm::kFromModel;

  // A JSON array with one object for each tool, as the model's makers describe them: {"name", "description",
  // "parameters"} or {"type": "function", "function": {...}}. Keys stay in order. Empty: no tools.
  std::string tools = {};

  std::string date = {};  // "2026-11-22", for forms that tell the model; empty: today, where create() is called
  bool preserve_thinking = false;  // write the thinking of earlier answers too, where the form leaves it out by default

  // Instead of `form`: writes all messages, without the token that a model wants in front of every text, and, where
  // asked for, the beginning of an answer. Must not throw. May be called from several threads.
  using Custom = std::function<Result<std::vector<ChatSegment>>(std::span<const Message>, bool generation_prompt)>;
  Custom custom = nullptr;
};

struct Answer {
  Message message;  // of the assistant; content is empty only where finish.describe() says why
  Finish finish;
  SyncInfo prompt;  // what the session had of the conversation, and what was read
};

// A model's form with a set of tools. Immutable and cheap to copy; any number of threads may share one.
class LFM_API Chat {
 public:
  //   kArgument     `tools` isn't a JSON array of objects (with the offset, or the index) that have a name each, no two
  //                 of them the same; `date` is no date
  //   kUnsupported  the vocabulary lacks <|im_start|> or <|im_end|>
  static Result<Chat> create(const Engine& engine, const ChatOptions& options);
  static Result<Chat> create(const Engine& engine) { return create(engine, ChatOptions{}); }

  // What the form is of, never kFromModel; where the model's own template runs, what was recognised in it.
  ChatForm form() const noexcept;
  const std::vector<std::string>& notes() const noexcept;  // what isn't as expected: an unknown template, say
  const std::string& date() const noexcept;                // ChatOptions::date, or the day on which it was created

  // The conversation as tokens, the model's first one included. With generation_prompt it ends where an answer of the
  // assistant begins; otherwise after the last message.
  //   kArgument  a call has arguments that aren't a JSON object, or a name or an argument's name that can't be written
  //              as one (index: the message); a token of a custom form that the vocabulary lacks (index: the segment);
  //              the model's template refuses such a conversation, in its words
  //   kUnsupported, kLimit  the model's template fails with it, or takes more time or memory than any needs
  //   kLimit     as Tokenizer::encode();   what a custom form returns
  // `ends`: null, or becomes what SyncOptions::ends wants of it: where messages end.
  Result<std::vector<TokenId>> render(std::span<const Message> messages, bool generation_prompt = true,
                                      std::vector<std::size_t>* ends = nullptr) const;

  // How many tokens that is.
  Result<std::size_t> count(std::span<const Message> messages, bool generation_prompt = true) const;

  // How many messages have to go for the rest to be at most so many tokens with the beginning of an answer: room for
  // the answer is Session::context_tokens() less that. Those that go are the first behind the system's, and whole
  // turns: what is left begins with a question of the user. 0: none.
  //   kLimit  the last turn alone is more (have, limit);   as render()
  Result<std::size_t> fit(std::span<const Message> messages, std::size_t tokens) const;

  // The same as text, the form's tokens spelt out: to look at. It can't be made into the same tokens again.
  Result<std::string> render_text(std::span<const Message> messages, bool generation_prompt = true) const;

  using PieceCallback = std::function<bool(const Piece&)>;

  // Makes the session the conversation (Session::sync()) and has the model answer it (Session::generate(), structured).
  // The session is of the engine that the chat was created for. Where it is cancelled, be it while it reads the
  // conversation, that is an answer too: finish.reason is kCancelled, and the message has what was said until then.
  // With GenerateOptions::continue_last the session becomes the conversation with its last message left open, and the
  // answer is that message with what the model adds to it, which alone comes in pieces. Where its tokens say what it
  // says, it goes on from them, also within thinking or a call; otherwise from what the form writes of it.
  // Errors as of render(), sync() and generate();   kArgument  another engine's session ("session"), no messages, none
  // of the assistant to continue, or of a form that doesn't end it with <|im_end|> ("continue_last")
  Result<Answer> answer(Session& session, std::span<const Message> messages, const GenerateOptions& options,
                        const PieceCallback& callback = nullptr) const;

  // What answer() gives as its message, of one's own sync() and generate(): `prompt` is what render() gave, and
  // `tokens` those of the session, which begin with it. After a stop string they say more than was handed out.
  //   kArgument  they begin otherwise ("tokens")
  Result<Message> read_answer(std::span<const TokenId> prompt, std::span<const TokenId> tokens) const;

 private:
  friend class SessionPool;
  explicit Chat(std::shared_ptr<const chat::Template> inner) noexcept : inner_(std::move(inner)) {}
  std::shared_ptr<const chat::Template> inner_;
};

}  // namespace lfm
