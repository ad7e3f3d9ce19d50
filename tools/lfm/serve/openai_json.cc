#include "serve/openai_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <random>

#include "base/try.h"
#include "serve/tool_schemas.h"

namespace lfm::serve {
namespace {

constexpr double kLarge = 1e9;
constexpr double kMostPenalty = 100;

template <typename T>
void set_if(const std::optional<double>& from, T& to) {
  if (from) to = static_cast<T>(*from);
}

Status read_bias(const Fields& fields, const Model& model, std::size_t most, SamplingOptions& sampling) {
  LFM_ASSIGN(const Json* const biases, fields.object("logit_bias"));
  if (biases == nullptr) return {};
  if (biases->size() > most) return wrong("logit_bias", "has more than " + std::to_string(most) + " tokens");
  for (const auto& [key, value] : biases->items()) {
    TokenId id = 0;
    const auto [end, code] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (code != std::errc() || end != key.data() + key.size() || id < 0 ||
        static_cast<std::size_t>(id) >= model.engine().tokenizer().size())
      return wrong("logit_bias", "has a key that is no token of the model: " + json_text(key));
    if (!value.is_number() || !(std::abs(value.get<double>()) <= kMostPenalty))
      return wrong("logit_bias", "has a value that is no number from -100 to 100: " + json_text(value));
    // The end of the scale is a ban, as everybody takes it.
    const double bias = value.get<double>();
    sampling.logit_bias.push_back({id, bias <= -kMostPenalty ? -INFINITY : static_cast<float>(bias)});
  }
  return {};
}

Status read_sampling(const Fields& fields, SamplingOptions& sampling) {
  LFM_ASSIGN(const auto temperature, fields.number("temperature", 0, kMostPenalty));
  set_if(temperature, sampling.temperature);
  LFM_ASSIGN(const auto top_p, fields.number("top_p", 0, 1));
  // 0 is the likeliest token alone.
  if (top_p) sampling.top_p = std::max(static_cast<float>(*top_p), 1e-6f);
  LFM_ASSIGN(const auto top_k, fields.whole("top_k", -1, INT32_MAX));
  if (top_k) sampling.top_k = static_cast<std::int32_t>(std::max<std::int64_t>(*top_k, 0));
  LFM_ASSIGN(const auto min_p, fields.number("min_p", 0, 1));
  set_if(min_p, sampling.min_p);
  LFM_ASSIGN(const auto presence, fields.number("presence_penalty", -kMostPenalty, kMostPenalty));
  set_if(presence, sampling.presence_penalty);
  LFM_ASSIGN(const auto frequency, fields.number("frequency_penalty", -kMostPenalty, kMostPenalty));
  set_if(frequency, sampling.frequency_penalty);
  LFM_ASSIGN(const auto repeat, fields.number("repeat_penalty", 1e-6, kLarge));
  set_if(repeat, sampling.repetition_penalty);
  LFM_ASSIGN(const auto repetition, fields.number("repetition_penalty", 1e-6, kLarge));
  set_if(repetition, sampling.repetition_penalty);
  LFM_ASSIGN(const auto window, fields.whole("repeat_last_n", -1, INT32_MAX));
  if (window) sampling.penalty_window = static_cast<std::size_t>(std::max<std::int64_t>(*window, 0));
  LFM_ASSIGN(const auto seed, fields.whole("seed", INT64_MIN, INT64_MAX));
  if (seed && *seed != -1) sampling.seed = static_cast<std::uint64_t>(*seed);
  return {};
}

}  // namespace

Status read_generation(const Fields& fields, const Model& model, const RequestLimits& limits,
                       GenerateOptions& generate) {
  LFM_TRY(read_sampling(fields, generate.sampling));
  LFM_TRY(read_bias(fields, model, limits.biases, generate.sampling));
  generate.max_tokens = 0;
  for (const char* const name : {"n_predict", "max_tokens", "max_completion_tokens"}) {
    LFM_ASSIGN(const auto most, fields.whole(name, -1, INT32_MAX));
    if (most && *most == 0) return wrong(name, "expected at least 1, or -1 for what there is room for");
    if (most) generate.max_tokens = static_cast<std::size_t>(std::max<std::int64_t>(*most, 0));
  }
  LFM_ASSIGN(generate.stop, fields.texts("stop", limits.stops, limits.stop_bytes));
  std::erase(generate.stop, std::string());
  LFM_ASSIGN(const auto ignore_end, fields.flag("ignore_eos"));
  generate.ignore_end = ignore_end.value_or(false);
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
  const Fields inner(*format, "response_format.");
  LFM_ASSIGN(const auto type, inner.text("type"));
  if (!type) return wrong("response_format.type", "is missing");
  if (*type == "text") return {};
  if (*type != "json_object" && *type != "json_schema")
    return wrong("response_format.type", "expected text, json_object or json_schema, not " + json_text(*type));
  LFM_ASSIGN(const Json* const wrapped, inner.object("json_schema"));
  const Json* schema = inner.find("schema");
  bool strict = false;
  request.schema_field = "response_format.schema";
  if (wrapped != nullptr) {
    const Fields named(*wrapped, "response_format.json_schema.");
    schema = named.find("schema");
    request.schema_field = "response_format.json_schema.schema";
    LFM_ASSIGN(const auto said, named.flag("strict"));
    strict = said.value_or(false);
  }
  if (schema == nullptr && *type == "json_schema") return wrong("response_format.json_schema.schema", "is missing");
  request.schema = schema == nullptr ? R"({"type": "object"})" : json_text(strict ? closed(*schema) : *schema);
  return {};
}

Status check_model(const Fields& fields, const Model& model, bool strict) {
  LFM_ASSIGN(const auto name, fields.text("model"));
  if (!strict || !name || *name == model.name()) return {};
  return Error{ErrorCode::kUnsupported, "there is no model '" + *name + "' here, but '" + model.name() + "'", "model"};
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
  return {{"cache_n", outcome.cached_tokens},
          {"prompt_n", read},
          {"prompt_ms", outcome.prompt_seconds * kMilliseconds},
          {"prompt_per_token_ms", each(read, outcome.prompt_seconds)},
          {"prompt_per_second", rate(read, outcome.prompt_seconds)},
          {"predicted_n", said},
          {"predicted_ms", outcome.generate_seconds * kMilliseconds},
          {"predicted_per_token_ms", each(said, outcome.generate_seconds)},
          {"predicted_per_second", rate(said, outcome.generate_seconds)}};
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

std::string new_id(std::string_view front) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::size_t kLength = 24;
  thread_local std::mt19937_64 random{(std::uint64_t{std::random_device()()} << 32) | std::random_device()()};
  std::uniform_int_distribution<std::size_t> draw(0, kLetters.size() - 1);
  std::string id(front);
  for (std::size_t i = 0; i < kLength; ++i) id += kLetters[draw(random)];
  return id;
}

Json envelope(const std::string& id, const char* object, std::int64_t created, const std::string& model) {
  return {{"id", id},
          {"object", object},
          {"created", created},
          {"model", model},
          {"system_fingerprint", "b-lfm-" LFM_VERSION}};
}

}  // namespace lfm::serve
