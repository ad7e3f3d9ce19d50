// GET /v1/models, /v1/models/ID; and what an error looks like.
#include "serve/openai/json.h"
#include "serve/openai/openai.h"
#include "serve/service.h"

namespace lfm::serve {
namespace {

Json model_json(const Model& model) {
  const ModelInfo& info = model.engine().info();
  return {{"id", model.name()},
          {"object", "model"},
          {"created", model.created()},
          {"owned_by", "lfm"},
          {"meta",
           {{"n_vocab", info.vocabulary},
            {"n_ctx", model.context_tokens()},
            {"n_ctx_train", info.context_tokens},
            {"n_embd", info.hidden},
            {"n_params", info.parameters},
            {"size", info.weight_bytes}}},
          {"architecture", {{"input_modalities", {"text"}}, {"output_modalities", {"text"}}}}};
}

// "%2F" is "/". What isn't two digits stays as it is.
std::string unescaped(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    out += escape ? static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

}  // namespace

void get_models(const Call& call) {
  const Json list = {{"object", "list"}, {"data", {model_json(call.service.model())}}};
  call.reply->send({200, json_text(list)});
}

void get_model(const Call& call) {
  const Model& model = call.service.model();
  const std::string name = unescaped(call.rest);
  if (name == model.name()) return call.reply->send({200, json_text(model_json(model))});
  call.reply->send(openai_error(
      {404, "there is no model '" + name + "' here, but '" + model.name() + "'", "model", "model_not_found"}));
}

Response openai_error(const ApiError& error) {
  Response response = refusal(error, json_text(error_json(error)));
  // A client that tries again would be told the same.
  if (error.status == 501) response.headers.emplace_back("x-should-retry", "false");
  if (error.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

void refuse_openai(const Call& call, const Error& error) {
  call.reply->send(openai_error(call.service.model().refusal(error)));
}

}  // namespace lfm::serve
