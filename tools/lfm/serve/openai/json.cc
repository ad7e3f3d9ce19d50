#include "serve/openai/json.h"

#include <algorithm>

#include "base/try.h"
#include "serve/model/tools.h"

namespace lfm::serve {

Status read_format(const Json& format, const std::string& place, const std::string& usual, ChatRequest& request) {
  const Fields fields(format, place);
  LFM_ASSIGN(const auto type, fields.text("type"));
  if (!type) return wrong(fields.name("type"), "is missing");
  if (*type == "text") return {};
  if (*type != "json_object" && *type != "json_schema")
    return wrong(fields.name("type"), "expected text, json_object or json_schema, not " + json_text(*type));
  LFM_ASSIGN(const Json* const wrapped, fields.object("json_schema"));
  const Fields holder = wrapped != nullptr ? Fields(*wrapped, fields.name("json_schema.")) : fields;
  const Json* const schema = holder.find("schema");
  LFM_ASSIGN(const auto strict, holder.flag("strict"));
  if (schema == nullptr && *type == "json_schema") return wrong(usual, "is missing");
  request.schema_field = holder.name("schema");
  request.schema = schema == nullptr        ? R"({"type": "object"})"
                   : strict.value_or(false) ? json_text(closed(*schema))
                                            : json_text(*schema);
  return {};
}

Status read_schema(const Fields& fields, ChatRequest& request) {
  if (fields.find("grammar") != nullptr) {
    return Error{ErrorCode::kUnsupported, "lfm reads no GBNF; \"response_format\" takes a JSON schema", "grammar"};
  }
  if (const Json* const schema = fields.find("json_schema"); schema != nullptr) {
    request.schema = json_text(*schema);
    request.schema_field = "json_schema";
  }
  LFM_ASSIGN(const Json* const format, fields.object("response_format"));
  if (format == nullptr) return {};
  return read_format(*format, "response_format.", "response_format.json_schema.schema", request);
}

Status read_stream(const Fields& fields, bool& stream, bool& usage) {
  LFM_ASSIGN(const auto streams, fields.flag("stream"));
  stream = streams.value_or(false);
  LFM_ASSIGN(const Json* const options, fields.object("stream_options"));
  if (options == nullptr) return {};
  LFM_ASSIGN(const auto tells, Fields(*options, "stream_options.").flag("include_usage"));
  usage = tells.value_or(false);
  return {};
}

Json error_json(const ApiError& error) {
  Json inner = {{"message", error.message}, {"type", error_type(error.status)}};
  inner["param"] = error.param.empty() ? Json() : Json(error.param);
  inner["code"] = error.code.empty() ? Json(error.status) : Json(error.code);
  if (error.code == "context_length_exceeded") inner["type"] = "exceed_context_size_error";
  for (const auto& [name, number] : error.numbers) inner[name] = number;
  return {{"error", inner}};
}

Json usage_json(const Outcome& outcome) {
  return {{"prompt_tokens", outcome.prompt_tokens},
          {"completion_tokens", outcome.generated()},
          {"total_tokens", outcome.prompt_tokens + outcome.generated()},
          {"prompt_tokens_details", {{"cached_tokens", outcome.cached_tokens}}},
          {"completion_tokens_details", {{"reasoning_tokens", outcome.reasoning()}}}};
}

Json timings_json(const Outcome& outcome) {
  constexpr double kMilliseconds = 1000;
  const auto rate = [](std::size_t tokens, double seconds) {
    return seconds > 0 ? static_cast<double>(tokens) / seconds : 0.0;
  };
  const auto each = [](std::size_t tokens, double seconds) {
    return tokens > 0 ? seconds * kMilliseconds / static_cast<double>(tokens) : 0.0;
  };
  const std::size_t read = outcome.prompt_tokens - std::min(outcome.cached_tokens, outcome.prompt_tokens);
  const std::size_t said = outcome.generated();
  Json timings = {{"cache_n", outcome.cached_tokens},
                  {"prompt_n", read},
                  {"prompt_ms", outcome.prompt_seconds * kMilliseconds},
                  {"prompt_per_token_ms", each(read, outcome.prompt_seconds)},
                  {"prompt_per_second", rate(read, outcome.prompt_seconds)},
                  {"predicted_n", said},
                  {"predicted_ms", outcome.generate_seconds * kMilliseconds},
                  {"predicted_per_token_ms", each(said, outcome.generate_seconds)},
                  {"predicted_per_second", rate(said, outcome.generate_seconds)}};
  if (const std::size_t drafted = outcome.drafted(); drafted > 0) {
    timings["draft_n"] = drafted;
    timings["draft_n_accepted"] = outcome.accepted();
  }
  return timings;
}

namespace {

Json logprob_json(TokenId id, float logprob, const Tokenizer& tokenizer) {
  const auto decoded = tokenizer.decode(std::span(&id, 1));
  const std::string bytes = decoded.ok() ? *decoded : std::string();
  Json list = Json::array();
  for (const char c : bytes) list.push_back(static_cast<unsigned char>(c));
  // JSON has no infinity.
  return {{"id", id}, {"token", bytes}, {"bytes", list}, {"logprob", std::max(logprob, -9999.0f)}};
}

}  // namespace

Json logprobs_json(const Piece& piece, const Tokenizer& tokenizer) {
  Json list = Json::array();
  if (piece.tokens.empty() || piece.logprobs.size() < piece.tokens.size()) return list;
  const std::size_t top = piece.top_logprobs.size() / piece.tokens.size();
  for (std::size_t i = 0; i < piece.tokens.size(); ++i) {
    Json one = logprob_json(piece.tokens[i], piece.logprobs[i], tokenizer);
    one["top_logprobs"] = Json::array();
    for (const TokenLogprob& other : piece.top_logprobs.subspan(i * top, top))
      one["top_logprobs"].push_back(logprob_json(other.id, other.logprob, tokenizer));
    list.push_back(std::move(one));
  }
  return list;
}

Json envelope(const std::string& id, const char* object, std::int64_t created, const std::string& model) {
  return {{"id", id},
          {"object", object},
          {"created", created},
          {"model", model},
          {"system_fingerprint", "b-lfm-" LFM_VERSION}};
}

}  // namespace lfm::serve
