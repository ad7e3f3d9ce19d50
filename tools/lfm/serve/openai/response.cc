// POST /v1/responses and /v1/responses/input_tokens
#include "serve/openai/response.h"

#include "base/try.h"
#include "serve/openai/openai.h"
#include "serve/service.h"

namespace lfm::serve {
namespace {

Status answer_response(const Call& call) {
  LFM_ASSIGN(const Json body, read_json(call));
  LFM_ASSIGN(ResponseRequest asked, read_response(body, call.service));
  auto writer = response_writer(asked, call.service.model(), call.reply);
  call.service.submit(std::move(asked.request), std::move(writer), call.reply->gone());
  return {};
}

Status count_input(const Call& call) {
  LFM_ASSIGN(const Json body, read_json(call));
  LFM_ASSIGN(ResponseRequest asked, read_response(body, call.service));
  LFM_ASSIGN(const Chat chat, call.service.model().chat(asked.request));
  LFM_ASSIGN(const std::size_t tokens, chat.count(asked.request.messages));
  call.reply->send({200, json_text({{"object", "response.input_tokens"}, {"input_tokens", tokens}})});
  return {};
}

}  // namespace

void post_responses(const Call& call) {
  if (const Status status = answer_response(call); !status.ok()) refuse_openai(call, status.error());
}

void post_response_tokens(const Call& call) {
  if (const Status status = count_input(call); !status.ok()) refuse_openai(call, status.error());
}

}  // namespace lfm::serve
