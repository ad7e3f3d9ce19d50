// POST /v1/messages and /v1/messages/count_tokens
#include "base/try.h"
#include "serve/anthropic/anthropic.h"
#include "serve/service.h"

namespace lfm::serve {
namespace {

// In Anthropic's words.
const char* kind_of(int status) noexcept {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

Status answer_messages(const Call& call) {
  LFM_ASSIGN(const Json body, read_json(call));
  LFM_ASSIGN(AnthropicRequest asked, read_anthropic(body, call.service));
  auto writer = anthropic_writer(asked, call.service.model(), call.reply);
  call.service.submit(std::move(asked.request), std::move(writer), call.reply->gone());
  return {};
}

Status answer_count(const Call& call) {
  LFM_ASSIGN(const Json body, read_json(call));
  LFM_ASSIGN(AnthropicRequest asked, read_anthropic(body, call.service));
  LFM_ASSIGN(const Chat chat, call.service.model().chat(asked.request));
  LFM_ASSIGN(const auto tokens, chat.render(asked.request.messages));
  call.reply->send({200, json_text({{"input_tokens", tokens.size()}})});
  return {};
}

void refuse_messages(const Call& call, const Error& error) {
  call.reply->send(anthropic_error(call.service.model().refusal(error)));
}

}  // namespace

Json anthropic_error_json(const ApiError& error) {
  return {{"type", "error"}, {"error", {{"type", kind_of(error.status)}, {"message", error.message}}}};
}

Response anthropic_error(const ApiError& error) {
  return refusal(error, json_text(anthropic_error_json(error)));
}

void post_messages(const Call& call) {
  if (const Status status = answer_messages(call); !status.ok()) refuse_messages(call, status.error());
}

void post_count_tokens(const Call& call) {
  if (const Status status = answer_count(call); !status.ok()) refuse_messages(call, status.error());
}

}  // namespace lfm::serve
