// POST /v1/chat/completions and /v1/chat/completions/input_tokens
#include "serve/openai/chat.h"

#include "base/try.h"
#include "serve/openai/openai.h"
#include "serve/service.h"

namespace lfm::serve {
namespace {

Status answer_chat(const Call& call) {
  LFM_ASSIGN(const Json body, read_json(call));
  const Service& service = call.service;
  LFM_ASSIGN(ChatCompletion asked, read_chat_completion(body, service));
  auto writer = chat_completion_writer(asked, service.model(), call.reply);
  call.service.submit(std::move(asked.request), std::move(writer), call.reply->gone());
  return {};
}

Status count_chat(const Call& call) {
  LFM_ASSIGN(const Json body, read_json(call));
  LFM_ASSIGN(ChatCompletion asked, read_chat_completion(body, call.service));
  LFM_ASSIGN(const Chat chat, call.service.model().chat(asked.request));
  LFM_ASSIGN(const std::size_t tokens, chat.count(asked.request.messages));
  call.reply->send({200, json_text({{"input_tokens", tokens}})});
  return {};
}

}  // namespace

void post_chat_completions(const Call& call) {
  if (const Status status = answer_chat(call); !status.ok()) refuse_openai(call, status.error());
}

void post_chat_tokens(const Call& call) {
  if (const Status status = count_chat(call); !status.ok()) refuse_openai(call, status.error());
}

}  // namespace lfm::serve
