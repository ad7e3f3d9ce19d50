#include <algorithm>

#include "base/try.h"
#include "serve/generation.h"
#include "serve/model/tools.h"
#include "serve/openai/json.h"
#include "serve/openai/response.h"
#include "serve/service.h"

namespace lfm::serve {
namespace {

// What would need something to be kept here, from one request to the next.
Status refuse_kept(const Fields& fields) {
  constexpr const char* kKept[] = {"previous_response_id", "conversation", "prompt"};
  for (const char* const name : kKept) {
    if (fields.find(name) == nullptr) continue;
    return Error{ErrorCode::kUnsupported,
                 "lfm keeps nothing of earlier requests: send the whole conversation as \"input\"", name};
  }
  LFM_ASSIGN(const auto background, fields.flag("background"));
  if (background.value_or(false))
    return Error{ErrorCode::kUnsupported, "answers are made while their client waits for them", "background"};
  return {};
}

std::string type_of(const Json& tool) {
  const auto found = tool.is_object() ? tool.find("type") : tool.end();
  return found != tool.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Functions as chats have them. Those of namespaces are named after them. A search of the web, which agents list
// whoever answers, is none of the client's: the model isn't told of it.
Result<Json> functions_of(const Json& tools, ResponseRequest& out) {
  Json all = Json::array();
  for (const Json& tool : tools) {
    const std::string type = type_of(tool);
    if (type.starts_with("web_search")) continue;
    if (type != "namespace") {
      all.push_back(tool);
      continue;
    }
    const Fields fields(tool, "tools.");
    LFM_ASSIGN(const auto space, fields.text("name"));
    LFM_ASSIGN(const Json* const inner, fields.list("tools", SIZE_MAX));
    if (!space || inner == nullptr) return wrong("tools", "has a namespace without a name, or without tools");
    for (Json function : *inner) {
      if (function.is_object() && function.contains("name") && function["name"].is_string()) {
        const std::string name = function["name"];
        function["name"] = *space + "." + name;
        out.spaced[function["name"]] = {*space, name};
      }
      all.push_back(std::move(function));
    }
  }
  return all;
}

Status read_response_tools(const Fields& fields, const RequestLimits& limits, ResponseRequest& out) {
  ToolUse& use = out.request.tools;
  LFM_ASSIGN(const Json* const tools, fields.list("tools", limits.tools));
  if (tools != nullptr) {
    LFM_ASSIGN(const Json functions, functions_of(*tools, out));
    if (functions.size() > limits.tools) return wrong("tools", "has too many functions");
    if (!functions.empty()) {
      LFM_ASSIGN(use, tool_use(functions));
    }
  }
  LFM_ASSIGN(const auto parallel, fields.flag("parallel_tool_calls"));
  use.rule.single = !parallel.value_or(true);
  const Json* const choice = fields.find("tool_choice");
  if (choice == nullptr) return {};
  return read_tool_choice(*choice, use);
}

Status read_text(const Fields& fields, ChatRequest& request) {
  LFM_ASSIGN(const Json* const text, fields.object("text"));
  if (text == nullptr) return {};
  LFM_ASSIGN(const Json* const format, Fields(*text, "text.").object("format"));
  if (format == nullptr) return {};
  return read_format(*format, "text.format.", "text.format.schema", request);
}

Status read_reasoning(const Fields& fields, ChatRequest& request) {
  LFM_ASSIGN(const Json* const reasoning, fields.object("reasoning"));
  if (reasoning == nullptr) return {};
  LFM_ASSIGN(const auto effort, Fields(*reasoning, "reasoning.").text("effort"));
  if (!effort) return {};
  return read_effort(*effort, "reasoning.effort", request);
}

Status read_response_logprobs(const Fields& fields, const RequestLimits& limits, ResponseRequest& out) {
  LFM_ASSIGN(const auto top, fields.whole("top_logprobs", 0, static_cast<std::int64_t>(limits.top_logprobs)));
  LFM_ASSIGN(const auto include, fields.texts("include", limits.members, limits.stop_bytes));
  out.logprobs = std::find(include.begin(), include.end(), "message.output_text.logprobs") != include.end();
  if (out.logprobs) out.request.generate.logprobs = static_cast<std::size_t>(top.value_or(0));
  return {};
}

Json told(const Json& body, const ResponseRequest& asked) {
  const auto of = [&body](const char* name, Json otherwise) {
    const auto found = body.find(name);
    return found == body.end() || found->is_null() ? otherwise : *found;
  };
  const SamplingOptions& sampling = asked.request.generate.sampling;
  return {{"instructions", of("instructions", nullptr)},
          {"max_output_tokens", of("max_output_tokens", nullptr)},
          {"metadata", of("metadata", Json::object())},
          {"parallel_tool_calls", !asked.request.tools.rule.single},
          {"previous_response_id", nullptr},
          {"reasoning", of("reasoning", {{"effort", nullptr}, {"summary", nullptr}})},
          {"store", false},
          {"temperature", decimal(sampling.temperature)},
          {"text", of("text", {{"format", {{"type", "text"}}}})},
          {"tool_choice", of("tool_choice", "auto")},
          {"tools", of("tools", Json::array())},
          {"top_logprobs", of("top_logprobs", 0)},
          {"top_p", decimal(sampling.top_p)},
          {"truncation", "disabled"}};
}

}  // namespace

Result<ResponseRequest> read_response(const Json& body, const Service& service) {
  const RequestLimits& limits = service.options().limits;
  const Fields fields(body);
  ResponseRequest out;
  ChatRequest& request = out.request;
  LFM_TRY(check_model(fields, service.model(), service.options().strict_model));
  LFM_TRY(refuse_kept(fields));
  LFM_ASSIGN(request.messages, read_input(fields, limits.messages));
  LFM_TRY(read_generation(fields, service.model(), limits, request.generate));
  LFM_ASSIGN(const auto most, fields.whole("max_output_tokens", 1, INT32_MAX));
  if (most) request.generate.max_tokens = static_cast<std::size_t>(*most);
  LFM_TRY(read_response_tools(fields, limits, out));
  LFM_TRY(read_text(fields, request));
  LFM_TRY(read_reasoning(fields, request));
  LFM_TRY(read_response_logprobs(fields, limits, out));
  LFM_ASSIGN(const auto stream, fields.flag("stream"));
  out.stream = stream.value_or(false);
  out.told = told(body, out);
  return out;
}

}  // namespace lfm::serve
