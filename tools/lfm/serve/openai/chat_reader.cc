#include "base/try.h"
#include "serve/generation.h"
#include "serve/model/tools.h"
#include "serve/openai/chat.h"
#include "serve/openai/json.h"
#include "serve/openai/messages.h"
#include "serve/service.h"

namespace lfm::serve {
namespace {

Status read_tools(const Fields& fields, const RequestLimits& limits, ToolUse& use) {
  if (fields.find("functions") != nullptr || fields.find("function_call") != nullptr)
    return Error{ErrorCode::kUnsupported, "is no longer OpenAI's; send \"tools\"", "functions"};
  LFM_ASSIGN(const Json* const tools, fields.list("tools", limits.tools));
  if (tools != nullptr && !tools->empty()) {
    LFM_ASSIGN(use, tool_use(*tools));
  }
  LFM_ASSIGN(const auto parallel, fields.flag("parallel_tool_calls"));
  use.rule.single = !parallel.value_or(true);
  const Json* const choice = fields.find("tool_choice");
  if (choice == nullptr) return {};
  return read_tool_choice(*choice, use);
}

// Tokens that thinking may take, as the words have it; none: as many as it likes.
Status read_thinking(const Fields& fields, ChatRequest& request) {
  LFM_ASSIGN(const auto effort, fields.text("reasoning_effort"));
  if (effort) LFM_TRY(read_effort(*effort, "reasoning_effort", request));
  LFM_ASSIGN(const auto tokens, fields.whole("thinking_budget_tokens", -1, INT32_MAX));
  if (tokens && *tokens >= 0) request.generate.thinking_budget = static_cast<std::size_t>(*tokens);
  LFM_ASSIGN(const Json* const form, fields.object("chat_template_kwargs"));
  if (form == nullptr) return {};
  LFM_ASSIGN(const auto thinks, Fields(*form, "chat_template_kwargs.").flag("enable_thinking"));
  if (thinks && !*thinks) request.thinks = false;
  return {};
}

Status read_logprobs(const Fields& fields, const RequestLimits& limits, ChatCompletion& out) {
  LFM_ASSIGN(const auto logprobs, fields.flag("logprobs"));
  LFM_ASSIGN(const auto top, fields.whole("top_logprobs", 0, static_cast<std::int64_t>(limits.top_logprobs)));
  out.logprobs = logprobs.value_or(false);
  if (top && *top > 0 && !out.logprobs) return wrong("top_logprobs", "needs \"logprobs\": true");
  if (out.logprobs) out.request.generate.logprobs = static_cast<std::size_t>(top.value_or(0));
  return {};
}

}  // namespace

Result<ChatCompletion> read_chat_completion(const Json& body, const Service& service) {
  const RequestLimits& limits = service.options().limits;
  const Fields fields(body);
  ChatCompletion out;
  ChatRequest& request = out.request;
  LFM_TRY(check_model(fields, service.model(), service.options().strict_model));
  LFM_ASSIGN(request.messages, read_messages(fields, limits.messages));
  LFM_TRY(read_generation(fields, service.model(), limits, request.generate));
  LFM_TRY(read_tools(fields, limits, request.tools));
  LFM_TRY(read_schema(fields, request));
  LFM_TRY(read_thinking(fields, request));
  LFM_TRY(read_stream(fields, out.stream, out.usage));
  LFM_ASSIGN(const auto progress, fields.flag("return_progress"));
  out.progress = progress.value_or(false);
  LFM_TRY(read_logprobs(fields, limits, out));
  LFM_ASSIGN(const auto choices, fields.whole("n", 1, static_cast<std::int64_t>(limits.choices)));
  request.choices = static_cast<std::size_t>(choices.value_or(1));
  return out;
}

}  // namespace lfm::serve
