// What OpenAI's endpoints have in common: fields that they read, and parts of what they answer.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "serve/chat_request.h"
#include "serve/fields.h"
#include "serve/limits.h"
#include "serve/model.h"

namespace lfm::serve {

// How tokens are chosen, and when it ends: what an answer and a text that goes on have in common.
Status read_generation(const Fields& fields, const Model& model, const RequestLimits& limits,
                       GenerateOptions& generate);

// What the answer is JSON of, if it has to be: "response_format", and llama.cpp's "json_schema".
Status read_schema(const Fields& fields, ChatRequest& request);

// The model that is asked for, where that matters: kUnsupported with "model".
Status check_model(const Fields& fields, const Model& model, bool strict);

Json error_json(const ApiError& error);
Json usage_json(const Outcome& outcome);
Json timings_json(const Outcome& outcome);
Json logprobs_json(const Piece& piece, const Tokenizer& tokenizer);  // of its tokens, "content"'s list

// "chatcmpl-" and what no other answer has.
std::string new_id(std::string_view front);

// What every part of an answer begins with.
Json envelope(const std::string& id, const char* object, std::int64_t created, const std::string& model);

}  // namespace lfm::serve
