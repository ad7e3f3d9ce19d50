// GET /api/version, /api/tags, /api/ps; POST /api/show, /api/chat, /api/generate
#include <cstdio>
#include <ctime>

#include "base/try.h"
#include "serve/ollama/ollama.h"
#include "serve/service.h"

namespace lfm::serve {
namespace {

// Whose API it is; clients ask for a recent one.
constexpr const char* kOllamaVersion = "0.12.0";

// "8.3B"
std::string parameters_text(std::uint64_t count) {
  constexpr double kMillion = 1e6, kBillion = 1e9;
  const auto number = static_cast<double>(count);
  char text[32];
  std::snprintf(text, sizeof text, "%.1f%c", number / (number < kBillion ? kMillion : kBillion),
                number < kBillion ? 'M' : 'B');
  return text;
}

Json ollama_details_json(const Model& model) {
  const ModelInfo& info = model.engine().info();
  return {{"parent_model", ""},
          {"format", "gguf"},
          {"family", info.architecture},
          {"families", {info.architecture}},
          {"parameter_size", parameters_text(info.parameters)},
          {"quantization_level", model.type().empty() ? "unknown" : model.type()}};
}

Json ollama_model_json(const Model& model) {
  const ModelInfo& info = model.engine().info();
  return {{"name", model.name()},    {"model", model.name()},          {"modified_at", ollama_time(model.created())},
          {"size", info.file_bytes}, {"digest", std::string(64, '0')}, {"details", ollama_details_json(model)}};
}

Result<Json> shown(const Call& call) {
  LFM_ASSIGN(const Json body, read_json(call));
  const Model& model = call.service.model();
  const Fields fields(body);
  LFM_ASSIGN(auto name, fields.text("model"));
  if (!name) {
    LFM_ASSIGN(name, fields.text("name"));
  }
  if (call.service.options().strict_model && name && *name != model.name())
    return Error{ErrorCode::kUnsupported, "model '" + *name + "' not found", "model"};
  const ModelInfo& info = model.engine().info();
  const std::string& front = info.architecture;
  Json known = {{"general.architecture", front},
                {"general.basename", model.name()},
                {"general.parameter_count", info.parameters},
                {front + ".context_length", model.context_tokens()},
                {front + ".embedding_length", info.hidden},
                {front + ".block_count", info.layers},
                {front + ".vocab_size", info.vocabulary}};
  return Json{{"modelfile", ""},
              {"parameters", ""},
              {"template", ""},
              {"modified_at", ollama_time(model.created())},
              {"details", ollama_details_json(model)},
              {"model_info", std::move(known)},
              {"capabilities", {"completion", "tools", "thinking"}}};
}

Status answer_ollama(const Call& call, bool chat) {
  LFM_ASSIGN(const Json body, read_json(call));
  LFM_ASSIGN(OllamaRequest asked, read_ollama(body, chat, call.service));
  auto writer = ollama_writer(asked, call.service.model(), call.reply);
  // Clients ask for nothing so that the model is loaded, which it is.
  if (asked.request.messages.empty() && !asked.request.tokens) {
    writer->begin();
    writer->finish({});
    return {};
  }
  call.service.submit(std::move(asked.request), std::move(writer), call.reply->gone());
  return {};
}

void send_json(const Call& call, const Json& json) {
  call.reply->send({200, json_text(json)});
}

void refuse_ollama(const Call& call, const Error& error) {
  call.reply->send(ollama_error(call.service.model().refusal(error)));
}

}  // namespace

std::string ollama_time(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts = {};
  char text[32];
  if (gmtime_r(&time, &parts) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
    return "1970-01-01T00:00:00Z";
  return text;
}

Response ollama_error(const ApiError& error) {
  return refusal(error, json_text({{"error", error.message}}));
}

void get_ollama_version(const Call& call) {
  send_json(call, {{"version", kOllamaVersion}});
}

void get_ollama_tags(const Call& call) {
  send_json(call, {{"models", {ollama_model_json(call.service.model())}}});
}

void get_ollama_running(const Call& call) {
  const Model& model = call.service.model();
  Json running = ollama_model_json(model);
  running.erase("modified_at");
  running["expires_at"] = "9999-12-31T00:00:00Z";  // as long as the server runs
  running["size_vram"] = 0;
  running["context_length"] = model.context_tokens();
  send_json(call, {{"models", {std::move(running)}}});
}

void post_ollama_show(const Call& call) {
  const auto json = shown(call);
  json.ok() ? send_json(call, *json) : refuse_ollama(call, json.error());
}

void post_ollama_chat(const Call& call) {
  if (const Status status = answer_ollama(call, true); !status.ok()) refuse_ollama(call, status.error());
}

void post_ollama_generate(const Call& call) {
  if (const Status status = answer_ollama(call, false); !status.ok()) refuse_ollama(call, status.error());
}

}  // namespace lfm::serve
