#include "talk/talk.h"

#include "base/try.h"
#include "talk/saved.h"

namespace lfm::cli {
namespace {

Result<Chat> create_chat(const Engine& engine, const TalkOptions& options, const std::string& tools) {
  ChatOptions chat = options.chat;
  chat.tools = tools;
  return Chat::create(engine, chat);
}

// What answers are held to, with these tools.
Result<std::optional<Constraint>> constraint_of(const TalkOptions& options, const std::string& tools) {
  if (!options.tool_choice) return options.generate.constraint;
  if (tools.empty()) return std::optional<Constraint>();
  LFM_ASSIGN(Constraint calls, Constraint::from_tools(tools, *options.tool_choice));
  return std::optional<Constraint>(std::move(calls));
}

std::string state_path(const std::string& path) {
  return path + ".state";
}

}  // namespace

Result<Talk> Talk::open(Engine engine, const TalkOptions& options, Conversation conversation) {
  LFM_ASSIGN(Chat chat, create_chat(engine, options, conversation.tools));
  LFM_ASSIGN(Session session, engine.new_session(options.session));
  return Talk(std::move(engine), std::move(session), std::move(chat), options, std::move(conversation));
}

Status Talk::set_tools(std::string tools) {
  LFM_ASSIGN(auto constraint, constraint_of(options_, tools));
  LFM_ASSIGN(chat_, create_chat(engine_, options_, tools));
  options_.generate.constraint = std::move(constraint);
  conversation_.tools = std::move(tools);
  return {};
}

void Talk::clear() {
  conversation_.messages.clear();
  attempt_ = 0;
}

Status Talk::take_answer() {
  LFM_TRY(conversation_.take_answer());
  ++attempt_;
  return {};
}

void Talk::add(Message message) {
  conversation_.messages.push_back(std::move(message));
  attempt_ = 0;
}

void Talk::set_answer(Message message) {
  if (!conversation_.messages.empty() && conversation_.messages.back().role == Role::kAssistant)
    conversation_.messages.pop_back();
  add(std::move(message));
}

void Talk::back_to(Mark mark) {
  conversation_.messages = std::move(mark.messages);
  attempt_ = mark.attempt;
}

Result<Answer> Talk::answer(const Chat::PieceCallback& callback, ProgressCallback progress) {
  GenerateOptions generate = options_.generate;
  generate.prompt_progress = std::move(progress);
  generate.sampling.seed = generate.sampling.seed.value_or(0) + attempt_;
  const double seconds_before = session_.stats().prompt_seconds;
  LFM_ASSIGN(Answer answer, chat_.answer(session_, conversation_.all(), generate, callback));
  ++tally_.answers;
  tally_.reused_tokens += answer.prompt.reused;
  tally_.last = answer;
  tally_.last_prompt_seconds = session_.stats().prompt_seconds - seconds_before;
  const Message& message = answer.message;
  if (!message.content.empty() || !message.reasoning.empty() || !message.tool_calls.empty())
    conversation_.messages.push_back(message);
  return answer;
}

Result<std::vector<std::string>> Talk::save(const std::string& path) {
  LFM_TRY(write_saved(path, to_json(conversation_, engine_.info().name)));
  std::vector<std::string> notes;
  if (const Status state = session_.save(state_path(path)); !state.ok())
    notes.push_back("loading it will read it all again: " + state.error().describe());
  return notes;
}

Result<std::vector<std::string>> Talk::load(const std::string& path) {
  LFM_ASSIGN(Conversation conversation, read_saved(path));
  LFM_ASSIGN(auto constraint, constraint_of(options_, conversation.tools));
  LFM_ASSIGN(chat_, create_chat(engine_, options_, conversation.tools));
  options_.generate.constraint = std::move(constraint);
  conversation_ = std::move(conversation);
  attempt_ = 0;
  std::vector<std::string> notes;
  if (const auto state = session_.load(state_path(path)); !state.ok())
    notes.push_back("the conversation will be read again: " + state.error().describe());
  return notes;
}

}  // namespace lfm::cli
