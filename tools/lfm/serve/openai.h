// OpenAI's dialect, as llama-server speaks it too.
#pragma once

#include <string>

#include "serve/routes.h"

namespace lfm::serve {

void get_models(const Call& call);
void get_model(const Call& call);
void post_chat_completions(const Call& call);
void post_completions(const Call& call);

// {"error": {"message", "type", "param", "code"}}
Response openai_error(const ApiError& error);

}  // namespace lfm::serve
