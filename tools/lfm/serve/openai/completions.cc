// POST /v1/completions: a text that goes on.
#include <ctime>

#include "base/try.h"
#include "serve/generation.h"
#include "serve/http/events.h"
#include "serve/openai/json.h"
#include "serve/openai/messages.h"
#include "serve/openai/openai.h"
#include "serve/service.h"

namespace lfm::serve {
namespace {

struct Completion {
  ChatRequest request;
  std::string echo;  // the prompt, where the answer begins with it
  bool stream = false;
  bool usage = false;
  bool logprobs = false;
};

// A text, or tokens; or a list with one of them.
Result<std::vector<TokenId>> read_prompt(const Json& body, const Tokenizer& tokenizer, std::string& text) {
  const Fields fields(body);
  const Json* prompt = fields.find("prompt");
  if (prompt == nullptr) return wrong("prompt", "is missing");
  if (prompt->is_array() && prompt->size() == 1 && !(*prompt)[0].is_number()) prompt = &(*prompt)[0];
  if (prompt->is_string()) {
    text = prompt->get<std::string>();
    return tokenizer.encode(text);
  }
  if (prompt->is_array() && !prompt->empty() && !(*prompt)[0].is_number())
    return Error{ErrorCode::kUnsupported, "has several texts: send a request for each", "prompt"};
  LFM_ASSIGN(auto tokens, read_tokens(Fields(Json{{"prompt", *prompt}}), "prompt", tokenizer));
  if (!tokens) return wrong("prompt", "is missing");
  LFM_ASSIGN(text, tokenizer.decode(*tokens));
  return *std::move(tokens);
}

Result<Completion> read_completion(const Json& body, const Service& service) {
  const RequestLimits& limits = service.options().limits;
  const Model& model = service.model();
  const Fields fields(body);
  Completion out;
  LFM_TRY(check_model(fields, model, service.options().strict_model));
  std::string text;
  LFM_ASSIGN(out.request.tokens, read_prompt(body, model.engine().tokenizer(), text));
  if (out.request.tokens->empty()) return wrong("prompt", "is empty");
  LFM_TRY(read_generation(fields, model, limits, out.request.generate));
  LFM_TRY(read_schema(fields, out.request));
  if (const auto suffix = fields.text("suffix"); !suffix.ok() || (*suffix && !(*suffix)->empty()))
    return Error{ErrorCode::kUnsupported, "the model goes on with texts, and doesn't fill them in", "suffix"};
  LFM_ASSIGN(const auto echo, fields.flag("echo"));
  if (echo.value_or(false)) out.echo = text;
  if (auto best = fields.whole("best_of", 1, 1); !best.ok()) return std::move(best).error();
  LFM_ASSIGN(const auto logprobs, fields.whole("logprobs", 0, static_cast<std::int64_t>(limits.top_logprobs)));
  out.logprobs = logprobs.has_value();
  if (logprobs) out.request.generate.logprobs = static_cast<std::size_t>(*logprobs);
  LFM_ASSIGN(const auto choices, fields.whole("n", 1, static_cast<std::int64_t>(limits.choices)));
  out.request.choices = static_cast<std::size_t>(choices.value_or(1));
  LFM_TRY(read_stream(fields, out.stream, out.usage));
  return out;
}

// Of tokens as this endpoint has it: lists side by side.
struct LegacyLogprobs {
  Json tokens = Json::array();
  Json logprobs = Json::array();
  Json top = Json::array();
  Json offsets = Json::array();

  void add(const Json& content, std::size_t& offset) {
    for (const Json& one : content) {
      tokens.push_back(one["token"]);
      logprobs.push_back(one["logprob"]);
      Json named = Json::object();
      for (const Json& other : one["top_logprobs"])
        named[other["token"].get_ref<const std::string&>()] = other["logprob"];
      top.push_back(std::move(named));
      offsets.push_back(offset);
      offset += one["bytes"].size();
    }
  }
  Json json() const {
    return {{"tokens", tokens}, {"token_logprobs", logprobs}, {"top_logprobs", top}, {"text_offset", offsets}};
  }
};

class CompletionWriter final : public AnswerWriter {
 public:
  CompletionWriter(const Completion& asked, const Model& model, ReplyPointer reply)
      : reply_(reply),
        events_(std::move(reply)),
        model_(model),
        stream_(asked.stream),
        usage_(asked.usage),
        logprobs_(asked.logprobs),
        parts_(asked.request.choices, Part{asked.echo, {}, asked.echo.size()}) {}

  void begin() override {
    if (!stream_) return;
    events_.open();
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (!parts_[i].text.empty()) events_.send(body(i, parts_[i].text, nullptr));
    }
  }

  bool piece(std::size_t choice, const Piece& piece) override {
    Part& part = parts_[choice];
    LegacyLogprobs own;
    LegacyLogprobs& logprobs = stream_ ? own : part.logprobs;
    if (logprobs_) logprobs.add(logprobs_json(piece, model_.engine().tokenizer()), part.offset);
    if (!stream_) return part.text += piece.text, true;
    if (piece.text.empty() && !logprobs_) return true;
    return events_.send(body(choice, piece.text, logprobs_ ? own.json() : Json()));
  }

  void finish(const Outcome& outcome) override {
    if (!stream_) {
      Json whole = envelope(id_, "text_completion", created_, model_.name());
      whole["choices"] = Json::array();
      for (std::size_t i = 0; i < outcome.choices.size(); ++i) {
        const Part& part = parts_[i];
        whole["choices"].push_back(
            choice(i, part.text, logprobs_ ? part.logprobs.json() : Json(), finish_word(outcome.choices[i])));
      }
      whole["usage"] = usage_json(outcome);
      whole["timings"] = timings_json(outcome);
      return reply_->send({200, json_text(whole)});
    }
    for (std::size_t i = 0; i < outcome.choices.size(); ++i) {
      Json last = body(i, "", nullptr);
      last["choices"][0]["finish_reason"] = finish_word(outcome.choices[i]);
      if (i + 1 == outcome.choices.size()) last["timings"] = timings_json(outcome);
      events_.send(last);
    }
    if (usage_) {
      Json last = envelope(id_, "text_completion", created_, model_.name());
      last["choices"] = Json::array();
      last["usage"] = usage_json(outcome);
      events_.send(last);
    }
    events_.done();
  }

  void fail(const ApiError& error) override { events_.fail(openai_error(error), error_json(error)); }

 private:
  struct Part {
    std::string text;
    LegacyLogprobs logprobs;
    std::size_t offset = 0;  // of the next token in the text
  };

  static Json choice(std::size_t index, std::string_view text, Json logprobs, Json reason) {
    return {{"text", text}, {"index", index}, {"logprobs", std::move(logprobs)}, {"finish_reason", std::move(reason)}};
  }

  Json body(std::size_t index, std::string_view text, Json logprobs) const {
    Json out = envelope(id_, "text_completion", created_, model_.name());
    out["choices"] = Json::array({choice(index, text, std::move(logprobs), nullptr)});
    return out;
  }

  const ReplyPointer reply_;
  ServerSentEvents events_;
  const Model& model_;
  const bool stream_;
  const bool usage_;
  const bool logprobs_;
  std::vector<Part> parts_;
  const std::string id_ = new_id("cmpl-");
  const std::int64_t created_ = std::time(nullptr);
};

Status complete(const Call& call) {
  LFM_ASSIGN(const Json body, read_json(call));
  LFM_ASSIGN(Completion asked, read_completion(body, call.service));
  auto writer = std::make_unique<CompletionWriter>(asked, call.service.model(), call.reply);
  call.service.submit(std::move(asked.request), std::move(writer), call.reply->gone());
  return {};
}

}  // namespace

void post_completions(const Call& call) {
  if (const Status status = complete(call); !status.ok()) refuse_openai(call, status.error());
}

}  // namespace lfm::serve
