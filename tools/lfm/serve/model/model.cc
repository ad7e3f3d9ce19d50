#include "serve/model/model.h"

#include <algorithm>
#include <future>
#include <mutex>

#include "base/try.h"
#include "main_type.h"
#include "serve/model/tools.h"

namespace lfm::serve {
namespace {

// The library's choice where nobody says more (SessionOptions).
constexpr std::size_t kUsualContext = 32768;

constexpr std::size_t kNoMoreThinking = 0;

// Where an answer is held to something and may think first, a part of its tokens is left for what it is held to.
std::size_t thinking_of(std::size_t max_tokens) {
  return max_tokens - std::max<std::size_t>(max_tokens / 4, 1);
}

// Forms make a system prompt of the tools where the conversation has none.
std::size_t stem_of(const std::vector<Message>& messages, const std::vector<std::size_t>& ends) {
  if (messages.empty() || ends.empty()) return 0;
  return messages.front().role == Role::kSystem || ends.size() > messages.size() ? ends.front() : 0;
}

}  // namespace

Model::Model(Engine engine, ModelSettings settings, std::size_t context_tokens, SessionPool pool)
    : engine_(std::move(engine)),
      type_(cli::main_type(engine_.info().path)),
      settings_(std::move(settings)),
      context_tokens_(context_tokens),
      pool_(std::move(pool)) {}

Result<std::unique_ptr<Model>> Model::create(Engine engine, ModelSettings settings) {
  const std::size_t trained = engine.info().context_tokens;
  std::size_t context = settings.context_tokens.value_or(std::min(trained, kUsualContext));
  if (context == 0) context = trained;
  settings.session.context_tokens = context;
  LFM_ASSIGN(SessionPool pool,
             SessionPool::create(engine, {.session = settings.session, .bytes = settings.cache_bytes}));
  return std::unique_ptr<Model>(new Model(std::move(engine), std::move(settings), context, std::move(pool)));
}

Result<Chat> Model::chat(ChatRequest& request) const {
  LFM_TRY(pool_.recall(request.messages));
  return Chat::create(engine_, {.tools = request.tools.list, .date = pool_.date(request.messages)});
}

Result<Constraint> Model::calls(const ToolUse& tools) const {
  // A place in what is held to is one in the request's list.
  const auto told = [&tools](Result<Constraint> made) -> Result<Constraint> {
    if (made.ok() || !made.error().field.starts_with('/')) return made;
    Error error = std::move(made).error();
    error.field = "tools " + place_in_list(tools, error.field);
    return error;
  };
  auto made = constraints_.from_tools(tools.strict, tools.rule);
  const bool may_be_refused = tools.rule.choice != ToolChoice::kAuto;
  if (made.ok() || made.error().code == ErrorCode::kArgument || may_be_refused) return told(std::move(made));
  // Agents bring tools of many hands. What can't be held of one that doesn't ask for it is no reason to refuse all.
  const auto holds = [this](const std::string& schema) { return constraints_.from_json_schema(schema).ok(); };
  LFM_ASSIGN(const std::string others, relaxed(tools.strict, holds));
  return told(constraints_.from_tools(others, tools.rule));
}

Result<std::optional<Constraint>> Model::constraint(const ChatRequest& request) const {
  std::optional<Constraint> answer, calls;
  if (request.schema) {
    auto made = constraints_.from_json_schema(*request.schema);
    if (!made.ok()) {
      Error error = std::move(made).error();
      const bool within = error.field.starts_with('/');
      error.field = request.schema_field + (within ? " " + error.field : "");
      return error;
    }
    answer = *std::move(made);
  }
  if (request.has_tools() && (request.may_call() || !answer)) {
    LFM_ASSIGN(calls, this->calls(request.tools));
  }
  if (!answer || !calls) return answer ? answer : calls;
  if (request.tools.rule.choice == ToolChoice::kRequired) return calls;  // they are all there is
  LFM_ASSIGN(answer, Constraint::either(*calls, *answer));
  return answer;
}

Result<Prepared> Model::prepare(ChatRequest request) const {
  Prepared out;
  LFM_ASSIGN(request.generate.constraint, constraint(request));
  if (request.generate.constraint) LFM_TRY(request.generate.constraint->prepare(engine_));
  if (request.tokens) {
    out.prompt = std::move(*request.tokens);
  } else {
    LFM_ASSIGN(out.chat, chat(request));
    LFM_ASSIGN(out.prompt, out.chat->render(request.messages, true, &out.ends));
    out.stem = stem_of(request.messages, out.ends);
  }
  if (out.prompt.size() >= context_tokens_) {
    return Error{ErrorCode::kLimit,
                 "the request (" + std::to_string(out.prompt.size()) + " tokens) exceeds the available context size (" +
                     std::to_string(context_tokens_) + " tokens)",
                 "tokens", out.prompt.size()};
  }
  const std::size_t room = context_tokens_ - out.prompt.size();
  GenerateOptions& generate = request.generate;
  generate.structured = out.chat.has_value();
  generate.draft = settings_.draft;
  if (generate.max_tokens == 0 || generate.max_tokens > room) generate.max_tokens = room;
  const bool held = request.schema || request.tools.rule.choice == ToolChoice::kRequired;
  if (!request.thinks) {
    generate.thinking_budget = kNoMoreThinking;
  } else if (held && !generate.thinking_budget && out.chat) {
    generate.thinking_budget = thinking_of(generate.max_tokens);
  }
  out.request = std::move(request);
  return out;
}

ApiError Model::refusal(const Error& error) const {
  if (error.code == ErrorCode::kUnsupported && error.field == "model")
    return {404, error.message, "model", "model_not_found"};
  if (error.code != ErrorCode::kLimit || error.field != "tokens") return api_error(error);
  ApiError out{400, error.message, "messages", "context_length_exceeded"};
  out.numbers = {{"n_prompt_tokens", error.index}, {"n_ctx", context_tokens_}};
  return out;
}

// Has the session read the prompt, and the pool keep what was read, so that it is known also where nothing comes of it.
Result<SyncInfo> Model::read(const Prepared& prepared, Session& session, const SyncOptions& options) const {
  auto read = session.sync(prepared.prompt, options);
  // What can't be kept for want of memory is read again another time.
  if (prepared.stem > 0 && session.tokens().size() >= prepared.stem)
    static_cast<void>(pool_.keep(session, prepared.stem));
  static_cast<void>(pool_.keep(session));
  return read;
}

void Model::keep_answer(const Prepared& prepared, const Session& session, const Finish& finish) const {
  if (finish.tokens == 0) return;
  static_cast<void>(pool_.keep(session));
  if (!prepared.chat) return;
  auto message = prepared.chat->read_answer(prepared.prompt, session.tokens());
  if (!message.ok()) return;
  if (finish.reason == FinishReason::kStop) {
    // The session holds the stop string too, which the client hasn't seen.
    message->tokens.clear();
    message->content.resize(std::min(message->content.size(), finish.text_bytes));
  }
  static_cast<void>(pool_.remember(*prepared.chat, prepared.request.messages, *message));
}

// All choices go on from what was read, side by side; the engine reads its weights once for all.
Result<std::vector<Finish>> Model::say_all(const Prepared& prepared, Session read, AnswerWriter& writer,
                                           const Patience& patience) const {
  std::vector<Session> sessions;
  while (sessions.size() + 1 < prepared.request.choices) {
    LFM_ASSIGN(Session fork, read.fork());
    sessions.push_back(std::move(fork));
  }
  sessions.push_back(std::move(read));
  std::stop_source end;  // of all of them, where nobody waits any more, or one fails
  const std::stop_callback on_gone(patience.gone, [&end] { end.request_stop(); });
  std::mutex one_at_a_time;
  const auto say = [&](std::size_t choice) -> Result<Finish> {
    GenerateOptions options = prepared.request.generate;
    options.cancel = end.get_token();
    if (options.sampling.seed) *options.sampling.seed += choice;
    Result<Finish> finish = Finish{};
    try {
      finish = sessions[choice].generate(options, [&](const Piece& piece) {
        const std::lock_guard lock(one_at_a_time);
        return writer.piece(choice, piece) && !patience.over();
      });
    } catch (...) {
      end.request_stop();
      throw;
    }
    if (finish.ok()) {
      keep_answer(prepared, sessions[choice], *finish);
    } else {
      end.request_stop();
    }
    return finish;
  };
  // Where there is no thread to be had, one after another. Those that are left to themselves are waited for.
  std::vector<std::future<Result<Finish>>> others;
  for (std::size_t i = 1; i < sessions.size(); ++i)
    others.push_back(std::async(std::launch::async | std::launch::deferred, say, i));
  std::vector<Finish> finishes;
  LFM_ASSIGN(finishes.emplace_back(), say(0));
  for (auto& other : others) {
    LFM_ASSIGN(finishes.emplace_back(), other.get());
  }
  return finishes;
}

Result<Outcome> Model::answer(const Prepared& prepared, AnswerWriter& writer, const Patience& patience) const {
  const auto begin = Deadline::clock::now();
  Outcome outcome;
  outcome.prompt_tokens = prepared.prompt.size();
  LFM_ASSIGN(Session session, pool_.take(prepared.prompt));
  const auto progress = [&](std::uint64_t done, std::uint64_t all) {
    return writer.progress(static_cast<std::size_t>(done), static_cast<std::size_t>(all)) && !patience.over();
  };
  const auto read = this->read(prepared, session, {prepared.ends, patience.gone, progress});
  outcome.prompt_seconds = std::chrono::duration<double>(Deadline::clock::now() - begin).count();
  if (!read.ok()) {
    if (read.error().code != ErrorCode::kCancelled) return read.error();
    outcome.choices.assign(prepared.request.choices, Finish{.reason = FinishReason::kCancelled});
    return outcome;
  }
  outcome.cached_tokens = read->reused;
  LFM_ASSIGN(outcome.choices, say_all(prepared, std::move(session), writer, patience));
  for (const Finish& finish : outcome.choices)
    outcome.generate_seconds = std::max(outcome.generate_seconds, finish.seconds);
  return outcome;
}

}  // namespace lfm::serve
