// OpenAI's dialect, as llama-server speaks it too.
#pragma once

#include "serve/routes.h"

namespace lfm::serve {

void get_models(const Call& call);
void get_model(const Call& call);
void post_chat_completions(const Call& call);
void post_chat_tokens(const Call& call);
void post_completions(const Call& call);
void post_responses(const Call& call);
void post_response_tokens(const Call& call);

// {"error": {"message", "type", "param", "code"}}
Response openai_error(const ApiError& error);

// Says what was wrong with a request, as the library or its reader has it.
void refuse_openai(const Call& call, const Error& error);

}  // namespace lfm::serve
