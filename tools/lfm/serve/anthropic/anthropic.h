// Anthropic's dialect: /v1/messages, as Claude's clients and agents speak it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serve/fields.h"
#include "serve/model/request.h"
#include "serve/routes.h"

namespace lfm::serve {

class Model;
class Service;

void post_messages(const Call& call);
void post_count_tokens(const Call& call);

// {"type": "error", "error": {"type", "message"}}
Response anthropic_error(const ApiError& error);
Json anthropic_error_json(const ApiError& error);

struct AnthropicRequest {
  ChatRequest request;
  bool stream = false;
};

// kArgument, kFormat or kUnsupported with the field to blame.
Result<AnthropicRequest> read_anthropic(const Json& body, const Service& service);

std::unique_ptr<AnswerWriter> anthropic_writer(const AnthropicRequest& asked, const Model& model, ReplyPointer reply);

}  // namespace lfm::serve
