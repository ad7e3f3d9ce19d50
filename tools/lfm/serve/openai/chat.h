// Chat completions: the request as it is read, and what writes the answer.
#pragma once

#include <memory>

#include "serve/fields.h"
#include "serve/http/application.h"
#include "serve/model/request.h"

namespace lfm::serve {

class Model;
class Service;

struct ChatCompletion {
  ChatRequest request;
  bool stream = false;
  bool usage = false;     // at a stream's end
  bool progress = false;  // of reading the prompt, in a stream
  bool logprobs = false;
};

// kArgument, kFormat or kUnsupported with the field to blame.
Result<ChatCompletion> read_chat_completion(const Json& body, const Service& service);

std::unique_ptr<AnswerWriter> chat_completion_writer(const ChatCompletion& asked, const Model& model,
                                                     ReplyPointer reply);

}  // namespace lfm::serve
