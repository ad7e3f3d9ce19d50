// Responses, OpenAI's later way to ask: the request as it is read, and what writes the answer. Nothing of them is kept:
// a request brings its whole conversation.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "serve/fields.h"
#include "serve/http/application.h"
#include "serve/model/request.h"

namespace lfm::serve {

class Model;
class Service;

// Of a function in a namespace, which the model knows as "namespace.name".
struct SpacedName {
  std::string space;
  std::string name;
};

struct ResponseRequest {
  ChatRequest request;
  std::map<std::string, SpacedName, std::less<>> spaced;  // functions in namespaces, by the model's names
  bool stream = false;
  bool logprobs = false;
  Json told = Json::object();  // members of the answer that say what was asked for
};

// kArgument, kFormat or kUnsupported with the field to blame.
Result<ResponseRequest> read_response(const Json& body, const Service& service);

// "instructions" and "input", a text or a list of items: messages, thinking, calls and what came of them.
Result<std::vector<Message>> read_input(const Fields& fields, std::size_t most);

std::unique_ptr<AnswerWriter> response_writer(const ResponseRequest& asked, const Model& model, ReplyPointer reply);

}  // namespace lfm::serve
