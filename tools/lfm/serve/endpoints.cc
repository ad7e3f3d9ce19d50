#include "serve/endpoints.h"

#include "base/try.h"
#include "serve/fields.h"
#include "serve/model/tools.h"
#include "serve/openai/messages.h"
#include "serve/openai/openai.h"
#include "serve/service.h"

namespace lfm::serve {
namespace {

constexpr const char kPage[] =
#include "serve/page.inc"
    ;

void answer(const Call& call, const Json& json) {
  call.reply->send({200, json_text(json)});
}

// Says what went wrong instead, if anything did.
void answer(const Call& call, const Result<Json>& json) {
  if (json.ok()) return answer(call, *json);
  refuse_openai(call, json.error());
}

Result<Json> tokenized(const Call& call) {
  LFM_ASSIGN(const Json body, read_json(call));
  const Fields fields(body);
  LFM_ASSIGN(const auto content, fields.text("content"));
  if (!content) return wrong("content", "is missing");
  LFM_ASSIGN(const auto bos, fields.flag("add_special"));
  LFM_ASSIGN(const auto special, fields.flag("parse_special"));
  LFM_ASSIGN(const auto pieces, fields.flag("with_pieces"));
  const Tokenizer tokenizer = call.service.model().engine().tokenizer();
  LFM_ASSIGN(const auto ids,
             tokenizer.encode(*content, {.bos = bos.value_or(false), .special_tokens = special.value_or(false)}));
  Json tokens = Json::array();
  for (const TokenId& id : ids) {
    if (!pieces.value_or(false)) {
      tokens.push_back(id);
      continue;
    }
    LFM_ASSIGN(const std::string piece, tokenizer.decode(std::span(&id, 1)));
    tokens.push_back({{"id", id}, {"piece", piece}});
  }
  return Json{{"tokens", std::move(tokens)}};
}

Result<Json> detokenized(const Call& call) {
  LFM_ASSIGN(const Json body, read_json(call));
  const Tokenizer tokenizer = call.service.model().engine().tokenizer();
  LFM_ASSIGN(const auto ids, read_tokens(Fields(body), "tokens", tokenizer));
  if (!ids) return wrong("tokens", "is missing");
  LFM_ASSIGN(const std::string text, tokenizer.decode(*ids));
  return Json{{"content", text}};
}

Result<Json> with_template(const Call& call) {
  LFM_ASSIGN(const Json body, read_json(call));
  const Fields fields(body);
  const RequestLimits& limits = call.service.options().limits;
  ChatRequest request;
  LFM_ASSIGN(request.messages, read_messages(fields, limits.messages));
  LFM_ASSIGN(const Json* const tools, fields.list("tools", limits.tools));
  if (tools != nullptr && !tools->empty()) {
    LFM_ASSIGN(request.tools, tool_use(*tools));
  }
  LFM_ASSIGN(const Chat chat, call.service.model().chat(request));
  LFM_ASSIGN(const std::string text, chat.render_text(request.messages));
  return Json{{"prompt", text}};
}

Json sampling_json(const SamplingOptions& sampling) {
  return {{"temperature", decimal(sampling.temperature)},
          {"top_k", sampling.top_k},
          {"top_p", decimal(sampling.top_p)},
          {"min_p", decimal(sampling.min_p)},
          {"repeat_penalty", decimal(sampling.repetition_penalty)},
          {"presence_penalty", decimal(sampling.presence_penalty)},
          {"frequency_penalty", decimal(sampling.frequency_penalty)}};
}

}  // namespace

void get_health(const Call& call) {
  const Service& service = call.service;
  if (const auto error = service.unavailable()) {
    Response response = openai_error(*error);
    if (!service.loaded()) response.headers.emplace_back("X-Progress", std::to_string(service.load_progress()));
    return call.reply->send(std::move(response));
  }
  answer(call, Json{{"status", "ok"}});
}

void get_props(const Call& call) {
  const Service& service = call.service;
  const Model& model = service.model();
  const Json settings = {{"n_ctx", model.context_tokens()},
                         {"params", sampling_json(model.engine().recommended_sampling())}};
  answer(call, Json{{"default_generation_settings", settings},
                    {"total_slots", service.slots().count()},
                    {"model_alias", model.name()},
                    {"modalities", {{"vision", false}, {"audio", false}}},
                    {"chat_template_caps",
                     {{"supports_tools", true},
                      {"supports_tool_calls", true},
                      {"supports_parallel_tool_calls", true},
                      {"supports_system_role", true},
                      {"supports_preserve_reasoning", false}}},
                    {"build_info", "lfm " LFM_VERSION},
                    {"is_sleeping", false}});
}

void get_metrics(const Call& call) {
  if (!call.service.options().metrics)
    return call.reply->send(openai_error({501, "there are no metrics: lfm serve --metrics has them"}));
  call.reply->send(
      {200, call.service.metrics().text(call.service.gauges()), "text/plain; version=0.0.4; charset=utf-8"});
}

void get_slots(const Call& call) {
  const Service& service = call.service;
  if (!service.options().show_slots)
    return call.reply->send(openai_error({501, "slots aren't shown: lfm serve --slots shows them"}));
  Json list = Json::array();
  for (const SlotState& slot : service.slots().states()) {
    list.push_back({{"id", list.size()},
                    {"n_ctx", service.model().context_tokens()},
                    {"is_processing", slot.busy},
                    {"n_prompt_tokens", slot.prompt_tokens},
                    {"n_prompt_tokens_read", slot.read_tokens},
                    {"n_decoded", slot.generated_tokens}});
  }
  answer(call, list);
}

void get_page(const Call& call) {
  Response page{200, kPage, "text/html; charset=utf-8"};
  // Nothing of another place, whatever the model says.
  page.headers = {{"Content-Security-Policy",
                   "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
                   "img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
                  {"Referrer-Policy", "no-referrer"},
                  {"Cache-Control", "no-cache"}};
  call.reply->send(std::move(page));
}

void post_tokenize(const Call& call) {
  answer(call, tokenized(call));
}

void post_detokenize(const Call& call) {
  answer(call, detokenized(call));
}

void post_apply_template(const Call& call) {
  answer(call, with_template(call));
}

void not_supported(const Call& call) {
  call.reply->send(
      openai_error({501, call.request.path + ": lfm serves chats and texts of LFM2 models, and has no "
                                             "embeddings, ranking, infilling, adapters, sound or images"}));
}

}  // namespace lfm::serve
