#include "serve/api_error.h"

namespace lfm::serve {
namespace {

std::string field_of(const Error& error) {
  if (error.index == Error::kNone || error.field.empty()) return error.field;
  return error.field + "[" + std::to_string(error.index) + "]";
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kFormat:
    case ErrorCode::kUnsupported:
    case ErrorCode::kLimit:
    case ErrorCode::kArgument:
      return 400;
    case ErrorCode::kNoMemory:
      return 503;
    default:
      return 500;
  }
}

}  // namespace

ApiError api_error(const Error& error) {
  ApiError out{status_of(error.code), error.describe(), field_of(error)};
  if (out.status == 503) out.retry_after = 5;
  return out;
}

Response refusal(const ApiError& error, std::string body) {
  Response response{error.status, std::move(body)};
  if (error.retry_after > 0) response.headers.emplace_back("Retry-After", std::to_string(error.retry_after));
  return response;
}

const char* error_type(int status) noexcept {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    case 500:
      return "server_error";
    case 501:
      return "not_supported_error";
    case 503:
      return "unavailable_error";
    default:
      return "invalid_request_error";
  }
}

}  // namespace lfm::serve
