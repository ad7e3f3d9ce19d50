// What is wrong with a request, in whatever dialect it is told.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lfm/result.h"
#include "serve/http/application.h"

namespace lfm::serve {

struct ApiError {
  int status = 400;
  std::string message;       // a sentence for a person
  std::string param = {};    // the field of the request that is to blame: "messages[3].content"
  std::string code = {};     // for a program: "context_length_exceeded"
  unsigned retry_after = 0;  // seconds; 0: trying again won't help, or the client knows best
  std::vector<std::pair<std::string, std::uint64_t>> numbers = {};  // further members of OpenAI's form
};

// Of a library call that a request led to. A client's mistake is 4xx: an argument, a limit, what isn't supported.
ApiError api_error(const Error& error);

// It as an answer, whose body a dialect has written.
Response refusal(const ApiError& error, std::string body);

// What a status is called: "invalid_request_error".
const char* error_type(int status) noexcept;

}  // namespace lfm::serve
