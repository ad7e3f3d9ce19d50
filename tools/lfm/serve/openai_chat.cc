// POST /v1/chat/completions
#include "serve/openai_chat.h"

#include <ctime>

#include "base/try.h"
#include "serve/openai.h"
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

}  // namespace

void post_chat_completions(const Call& call) {
  if (const Status status = answer_chat(call); !status.ok())
    call.reply->send(openai_error(call.service.model().refusal(status.error())));
}

}  // namespace lfm::serve
