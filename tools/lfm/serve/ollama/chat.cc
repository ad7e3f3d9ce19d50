// Conversations and texts in Ollama's words: requests, and answers a line each.
#include <ctime>
#include <utility>

#include "base/try.h"
#include "serve/generation.h"
#include "serve/model/model.h"
#include "serve/model/tools.h"
#include "serve/ollama/ollama.h"
#include "serve/openai/messages.h"
#include "serve/service.h"

namespace lfm::serve {
namespace {

// In OpenAI's words.
Result<std::vector<Message>> read_ollama_chat(const Json& body, std::size_t most) {
  Json copy = {{"messages", Json::array()}};
  const Fields fields(body);
  LFM_ASSIGN(const Json* const list, fields.list("messages", most));
  if (list == nullptr || list->empty()) return std::vector<Message>();
  for (std::size_t i = 0; i < list->size(); ++i) {
    Json message = (*list)[i];
    const std::string place = "messages[" + std::to_string(i) + "]";
    if (!message.is_object()) return wrong(place, "isn't an object");
    if (const Json* const images = Fields(message).find("images"); images != nullptr && !images->empty())
      return Error{ErrorCode::kUnsupported, "the model reads text alone", place + ".images"};
    if (message.contains("thinking")) message["reasoning_content"] = message["thinking"];
    copy["messages"].push_back(std::move(message));
  }
  return read_messages(Fields(copy), most);
}

// A question, and what comes before it.
Status read_ollama_prompt(const Fields& fields, const Model& model, ChatRequest& request) {
  for (const char* const name : {"suffix", "images", "context"}) {
    const Json* const found = fields.find(name);
    if (found != nullptr && !found->empty() && *found != "")
      return Error{ErrorCode::kUnsupported, "isn't something that lfm takes", name};
  }
  LFM_ASSIGN(const auto prompt, fields.text("prompt"));
  if (!prompt || prompt->empty()) return {};
  LFM_ASSIGN(const auto raw, fields.flag("raw"));
  if (raw.value_or(false)) {
    LFM_ASSIGN(request.tokens, model.engine().tokenizer().encode(*prompt));
    return {};
  }
  LFM_ASSIGN(const auto system, fields.text("system"));
  if (system && !system->empty()) request.messages.push_back({Role::kSystem, *system});
  request.messages.push_back({Role::kUser, *prompt});
  return {};
}

Status read_ollama_options(const Fields& fields, const Service& service, GenerateOptions& generate) {
  static const Json kNone = Json::object();
  LFM_ASSIGN(const Json* const options, fields.object("options"));
  const Fields inner(options != nullptr ? *options : kNone, "options.");
  LFM_TRY(read_generation(inner, service.model(), service.options().limits, generate));
  LFM_ASSIGN(const auto most, inner.whole("num_predict", -2, INT32_MAX));
  if (most && *most > 0) generate.max_tokens = static_cast<std::size_t>(*most);
  return {};
}

Status read_ollama_format(const Fields& fields, ChatRequest& request) {
  const Json* const format = fields.find("format");
  if (format == nullptr || *format == "") return {};
  request.schema_field = "format";
  if (*format == "json") {
    request.schema = R"({"type": "object"})";
  } else if (format->is_object()) {
    request.schema = json_text(*format);
  } else {
    return wrong("format", "expected \"json\" or a schema");
  }
  return {};
}

// true, false, or how much.
Status read_think(const Fields& fields, ChatRequest& request) {
  const Json* const think = fields.find("think");
  if (think == nullptr || *think == true) return {};
  if (*think == false) {
    request.thinks = false;
    return {};
  }
  if (!think->is_string()) return wrong("think", "expected true, false, low, medium or high");
  return read_effort(think->get<std::string>(), "think", request);
}

class OllamaWriter final : public AnswerWriter {
 public:
  OllamaWriter(const OllamaRequest& asked, const Model& model, ReplyPointer reply)
      : reply_(std::move(reply)),
        name_(model.name()),
        chat_(asked.chat),
        stream_(asked.stream),
        has_tools_(asked.request.has_tools()) {}

  void begin() override {
    if (stream_) reply_->open({.type = "application/x-ndjson"});
  }

  bool piece(std::size_t, const Piece& piece) override {
    const Saying kind = saying(piece, has_tools_);
    if (kind == Saying::kCall) {
      auto arguments = cli::parse_json(piece.arguments);
      calls_.push_back(
          {{"function",
            {{"name", piece.name}, {"arguments", arguments.ok() ? *std::move(arguments) : Json::object()}}}});
    } else {
      (kind == Saying::kThinking ? thinking_ : content_) += piece.text;
    }
    if (!stream_ || (kind != Saying::kCall && piece.text.empty())) return true;
    return reply_->write(json_text(line()) + "\n");
  }

  void finish(const Outcome& outcome) override {
    Json last = line();
    last["done"] = true;
    last["done_reason"] = done_reason(outcome);
    if (!outcome.choices.empty()) add_figures(outcome, last);
    if (!stream_) return reply_->send({200, json_text(last)});
    reply_->write(json_text(last) + "\n");
    reply_->close();
  }

  void fail(const ApiError& error) override {
    const Response response = ollama_error(error);
    if (reply_->try_send(response)) return;
    reply_->write(response.body + "\n");
    reply_->close();
  }

 private:
  static const char* done_reason(const Outcome& outcome) {
    if (outcome.choices.empty()) return "load";
    return std::string_view(finish_word(outcome.choices.front())) == "length" ? "length" : "stop";
  }

  // With what has come since the line before.
  Json line() {
    Json out = {{"model", name_}, {"created_at", ollama_time(std::time(nullptr))}};
    const std::string content = std::exchange(content_, {}), thinking = std::exchange(thinking_, {});
    if (chat_) {
      Json message = {{"role", "assistant"}, {"content", content}};
      if (!thinking.empty()) message["thinking"] = thinking;
      if (!calls_.empty()) message["tool_calls"] = std::exchange(calls_, Json::array());
      out["message"] = std::move(message);
    } else {
      out["response"] = content;
      if (!thinking.empty()) out["thinking"] = thinking;
    }
    out["done"] = false;
    return out;
  }

  // Times in nanoseconds.
  static void add_figures(const Outcome& outcome, Json& out) {
    const auto nanoseconds = [](double seconds) { return static_cast<std::int64_t>(seconds * 1e9); };
    out["total_duration"] = nanoseconds(outcome.prompt_seconds + outcome.generate_seconds);
    out["load_duration"] = 0;
    out["prompt_eval_count"] = outcome.prompt_tokens;
    out["prompt_eval_duration"] = nanoseconds(outcome.prompt_seconds);
    out["eval_count"] = outcome.generated();
    out["eval_duration"] = nanoseconds(outcome.generate_seconds);
  }

  const ReplyPointer reply_;
  const std::string name_;
  const bool chat_, stream_, has_tools_;
  std::string content_, thinking_;
  Json calls_ = Json::array();
};

}  // namespace

Result<OllamaRequest> read_ollama(const Json& body, bool chat, const Service& service) {
  const RequestLimits& limits = service.options().limits;
  const Fields fields(body);
  OllamaRequest out{.request = {}, .chat = chat};
  ChatRequest& request = out.request;
  LFM_TRY(check_model(fields, service.model(), service.options().strict_model));
  if (chat) {
    LFM_ASSIGN(request.messages, read_ollama_chat(body, limits.messages));
  } else {
    LFM_TRY(read_ollama_prompt(fields, service.model(), request));
  }
  LFM_TRY(read_ollama_options(fields, service, request.generate));
  LFM_ASSIGN(const Json* const tools, fields.list("tools", limits.tools));
  if (tools != nullptr && !tools->empty()) {
    LFM_ASSIGN(request.tools, tool_use(*tools));
  }
  LFM_TRY(read_ollama_format(fields, request));
  LFM_TRY(read_think(fields, request));
  LFM_ASSIGN(const auto stream, fields.flag("stream"));
  out.stream = stream.value_or(true);
  return out;
}

std::unique_ptr<AnswerWriter> ollama_writer(const OllamaRequest& asked, const Model& model, ReplyPointer reply) {
  return std::make_unique<OllamaWriter>(asked, model, std::move(reply));
}

}  // namespace lfm::serve
