// What OpenAI's endpoints have in common: fields that they read, and parts of what they answer.
#pragma once

#include <cstdint>
#include <string>

#include "serve/fields.h"
#include "serve/model/request.h"

namespace lfm::serve {

// {"type": "json_schema", "schema": ...}, or the schema within "json_schema"; json_object and text, too. `place`: how
// its fields are told; `usual`: what is missing where no schema is there.
Status read_format(const Json& format, const std::string& place, const std::string& usual, ChatRequest& request);

// What the answer is JSON of, if it has to be: "response_format", and llama.cpp's "json_schema".
Status read_schema(const Fields& fields, ChatRequest& request);

// "stream", and "include_usage" of its options. What isn't said is false.
Status read_stream(const Fields& fields, bool& stream, bool& usage);

Json error_json(const ApiError& error);
Json usage_json(const Outcome& outcome);
Json timings_json(const Outcome& outcome);
Json logprobs_json(const Piece& piece, const Tokenizer& tokenizer);  // of its tokens, "content"'s list

// What every part of an answer begins with.
Json envelope(const std::string& id, const char* object, std::int64_t created, const std::string& model);

}  // namespace lfm::serve
