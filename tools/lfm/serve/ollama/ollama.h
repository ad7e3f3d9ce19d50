// Ollama's dialect, as far as its clients need it to talk with a model.
#pragma once

#include <memory>
#include <string>

#include "serve/fields.h"
#include "serve/model/request.h"
#include "serve/routes.h"

namespace lfm::serve {

class Model;
class Service;

void get_ollama_version(const Call& call);
void get_ollama_tags(const Call& call);
void get_ollama_running(const Call& call);
void post_ollama_show(const Call& call);
void post_ollama_chat(const Call& call);
void post_ollama_generate(const Call& call);

Response ollama_error(const ApiError& error);  // {"error": "a sentence"}

struct OllamaRequest {
  ChatRequest request;
  bool stream = true;
  bool chat = true;  // otherwise /api/generate
};

// kArgument, kFormat or kUnsupported with the field to blame.
Result<OllamaRequest> read_ollama(const Json& body, bool chat, const Service& service);

std::unique_ptr<AnswerWriter> ollama_writer(const OllamaRequest& asked, const Model& model, ReplyPointer reply);

// "2026-11-29T03:57:12Z"
std::string ollama_time(std::int64_t seconds);

}  // namespace lfm::serve
