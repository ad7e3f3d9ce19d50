#include "serve/model.h"

#include <algorithm>

#include "base/try.h"
#include "serve/tool_schemas.h"

namespace lfm::serve {
namespace {

// The library's choice where nobody says more (SessionOptions).
constexpr std::size_t kUsualContext = 32768;

constexpr std::size_t kNoMoreThinking = 0;

// Where an answer is held to something and may think first, a part of its tokens is left for what it is held to.
std::size_t thinking_of(std::size_t max_tokens) {
  return max_tokens - std::max<std::size_t>(max_tokens / 4, 1);
}

}  // namespace

Model::Model(Engine engine, ModelSettings settings, std::size_t context_tokens, SessionPool pool)
    : engine_(std::move(engine)),
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

Result<std::optional<Constraint>> Model::constraint(const ChatRequest& request) const {
  if (request.schema) {
    auto made = constraints_.from_json_schema(*request.schema);
    if (made.ok()) return std::optional<Constraint>(*std::move(made));
    Error error = std::move(made).error();
    error.field = request.schema_field + (error.field.empty() ? "" : " " + error.field);
    return error;
  }
  if (request.tools.list.empty()) return std::optional<Constraint>();
  auto made = constraints_.from_tools(request.tools.strict, request.tools.rule);
  if (!made.ok() && made.error().code != ErrorCode::kArgument && request.tools.rule.choice == ToolChoice::kAuto) {
    // Agents bring tools of many hands. What can't be held of one that doesn't ask for it is no reason to refuse all.
    const auto holds = [this](const std::string& schema) { return constraints_.from_json_schema(schema).ok(); };
    LFM_ASSIGN(const std::string others, relaxed(request.tools.strict, holds));
    made = constraints_.from_tools(others, request.tools.rule);
  }
  if (!made.ok()) return std::move(made).error();
  return std::optional<Constraint>(*std::move(made));
}

Result<Prepared> Model::prepare(ChatRequest request) const {
  Prepared out;
  LFM_ASSIGN(request.generate.constraint, constraint(request));
  if (request.generate.constraint) LFM_TRY(request.generate.constraint->prepare(engine_));
  if (request.tokens) {
    out.prompt = std::move(*request.tokens);
  } else {
    LFM_ASSIGN(out.chat, chat(request));
    LFM_ASSIGN(out.prompt, out.chat->render(request.messages));
  }
  if (out.prompt.size() >= context_tokens_) {
    return Error{ErrorCode::kLimit,
                 "the request (" + std::to_string(out.prompt.size()) + " tokens) exceeds the available context size (" +
                     std::to_string(context_tokens_) + " tokens)",
                 "tokens", out.prompt.size()};
  }
  const std::size_t room = context_tokens_ - out.prompt.size();
  GenerateOptions& generate = request.generate;
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

// One answer; of a text that goes on, no message.
Result<Answer> Model::choose(const Prepared& prepared, const GenerateOptions& options,
                             const Chat::PieceCallback& callback) const {
  if (prepared.chat) return pool_.answer(*prepared.chat, prepared.request.messages, options, callback);
  LFM_ASSIGN(Session session, pool_.take(prepared.prompt));
  Answer answer;
  const auto read = session.sync(prepared.prompt, {{}, options.cancel, options.prompt_progress});
  answer.finish.reason = FinishReason::kCancelled;
  if (read.ok()) {
    answer.prompt = *read;
    LFM_TRY(pool_.keep(session));
    LFM_ASSIGN(answer.finish, session.generate(options, callback));
  } else if (read.error().code != ErrorCode::kCancelled) {
    return read.error();
  }
  LFM_TRY(pool_.keep(session));
  return answer;
}

Result<Outcome> Model::answer(const Prepared& prepared, AnswerWriter& writer, const Patience& patience) const {
  GenerateOptions options = prepared.request.generate;
  options.cancel = patience.gone;
  options.prompt_progress = [&](std::uint64_t done, std::uint64_t all) {
    return writer.progress(static_cast<std::size_t>(done), static_cast<std::size_t>(all)) &&
           Deadline::clock::now() < patience.deadline;
  };
  Outcome outcome;
  outcome.prompt_tokens = prepared.prompt.size();
  for (std::size_t choice = 0; choice < prepared.request.choices && !patience.lost(); ++choice) {
    // The pool has the prompt's end, so that it is read once for all choices.
    if (choice > 0 && options.sampling.seed) ++*options.sampling.seed;
    const auto begin = Deadline::clock::now();
    LFM_ASSIGN(const Answer answer, choose(prepared, options, [&](const Piece& piece) {
                 return writer.piece(choice, piece) && Deadline::clock::now() < patience.deadline;
               }));
    if (choice == 0) outcome.cached_tokens = answer.prompt.reused;
    outcome.choices.push_back(answer.finish);
    outcome.generate_seconds += answer.finish.seconds;
    outcome.prompt_seconds +=
        std::chrono::duration<double>(Deadline::clock::now() - begin).count() - answer.finish.seconds;
    writer.end_choice(choice, answer.finish);
  }
  return outcome;
}

}  // namespace lfm::serve
