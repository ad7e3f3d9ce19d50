#include <ctime>
#include <optional>
#include <utility>

#include "serve/http/events.h"
#include "serve/model/model.h"
#include "serve/openai/json.h"
#include "serve/openai/openai.h"
#include "serve/openai/response.h"

namespace lfm::serve {
namespace {

constexpr const char* kRunning = "in_progress";
constexpr const char* kCompleted = "completed";
constexpr const char* kIncomplete = "incomplete";

// An answer is a list of items: thinking, text, calls. Streamed, each is told as it begins, grows and ends; the last
// event, or all that comes where nothing is streamed, is the whole.
class ResponseWriter final : public AnswerWriter {
 public:
  ResponseWriter(const ResponseRequest& asked, const Model& model, ReplyPointer reply)
      : reply_(reply),
        events_(std::move(reply)),
        model_(model),
        stream_(asked.stream),
        has_tools_(asked.request.has_tools()),
        logprobs_(asked.logprobs),
        spaced_(asked.spaced),
        told_(asked.told) {}

  void begin() override {
    if (stream_) events_.open();
  }

  bool piece(std::size_t, const Piece& piece) override {
    if (!start()) return false;
    const Saying kind = saying(piece, has_tools_);
    if (kind == Saying::kCall) return end_item(kCompleted) && call(piece);
    if (piece.text.empty() && !(logprobs_ && kind == Saying::kText)) return true;
    if (open_ != kind && !(end_item(kCompleted) && begin_item(kind))) return false;
    return kind == Saying::kText ? add_text(piece) : add_thinking(piece);
  }

  void finish(const Outcome& outcome) override {
    start();
    const Finish& finish = outcome.choices.front();
    const bool cut = std::string_view(finish_word(finish)) == "length";
    // An answer without a word is one all the same.
    if (output_.empty() && !open_ && !finish.thinking_open) begin_item(Saying::kText);
    end_item(cut ? kIncomplete : kCompleted);
    Json response = this->response(cut ? kIncomplete : kCompleted);
    if (cut) response["incomplete_details"] = {{"reason", "max_output_tokens"}};
    response["usage"] = usage(outcome);
    if (!stream_) return reply_->send({200, json_text(response)});
    tell(cut ? "response.incomplete" : "response.completed", {{"response", std::move(response)}});
    events_.end();
  }

  void fail(const ApiError& error) override {
    Json response = this->response("failed");
    response["error"] = {{"code", error.code.empty() ? error_type(error.status) : error.code},
                         {"message", error.message}};
    events_.fail(openai_error(error), event("response.failed", {{"response", std::move(response)}}), "response.failed");
  }

 private:
  // What comes before the first item.
  bool start() {
    if (std::exchange(started_, true) || !stream_) return true;
    const Json response = this->response(kRunning);
    return tell("response.created", {{"response", response}}) && tell("response.in_progress", {{"response", response}});
  }

  Json response(const char* status) const {
    Json out = {
        {"id", id_},           {"object", "response"}, {"created_at", created_},        {"status", status},
        {"background", false}, {"error", nullptr},     {"incomplete_details", nullptr}, {"model", model_.name()},
        {"output", output_}};
    out.update(told_);
    out["usage"] = nullptr;
    return out;
  }

  static Json usage(const Outcome& outcome) {
    return {{"input_tokens", outcome.prompt_tokens},
            {"input_tokens_details", {{"cached_tokens", outcome.cached_tokens}}},
            {"output_tokens", outcome.generated()},
            {"output_tokens_details", {{"reasoning_tokens", outcome.reasoning()}}},
            {"total_tokens", outcome.prompt_tokens + outcome.generated()}};
  }

  Json event(const char* type, const Json& more) {
    Json out = {{"type", type}, {"sequence_number", sequence_++}};
    out.update(more);
    return out;
  }
  bool tell(const char* type, const Json& more) { return !stream_ || events_.send(event(type, more), type); }

  // What an event is about: the item that is open.
  Json place() const { return {{"item_id", item_["id"]}, {"output_index", output_.size()}}; }
  Json place(std::initializer_list<std::pair<const char*, Json>> more) const {
    Json out = place();
    out["content_index"] = 0;
    for (const auto& [name, value] : more) out[name] = value;
    return out;
  }

  Json part() const {
    if (open_ == Saying::kThinking) return {{"type", "reasoning_text"}, {"text", text_}};
    return {{"type", "output_text"}, {"text", text_}, {"annotations", Json::array()}, {"logprobs", list_}};
  }

  bool begin_item(Saying kind) {
    open_ = kind;
    if (kind == Saying::kThinking) {
      item_ = {{"id", new_id("rs_")}, {"type", "reasoning"}, {"summary", Json::array()}};
    } else {
      item_ = {{"id", new_id("msg_")}, {"type", "message"}, {"role", "assistant"}};
    }
    item_["status"] = kRunning;
    item_["content"] = Json::array();
    return tell("response.output_item.added", {{"output_index", output_.size()}, {"item", item_}}) &&
           tell("response.content_part.added", place({{"part", part()}}));
  }

  bool add_text(const Piece& piece) {
    text_ += piece.text;
    Json logprobs = Json::array();
    if (logprobs_) logprobs = logprobs_json(piece, model_.engine().tokenizer());
    list_.insert(list_.end(), logprobs.begin(), logprobs.end());
    return tell("response.output_text.delta", place({{"delta", piece.text}, {"logprobs", std::move(logprobs)}}));
  }

  bool add_thinking(const Piece& piece) {
    text_ += piece.text;
    return tell("response.reasoning_text.delta", place({{"delta", piece.text}}));
  }

  bool end_item(const char* status) {
    if (!open_) return true;
    const bool thinking = open_ == Saying::kThinking;
    const bool told = (thinking ? tell("response.reasoning_text.done", place({{"text", text_}}))
                                : tell("response.output_text.done", place({{"text", text_}, {"logprobs", list_}}))) &&
                      tell("response.content_part.done", place({{"part", part()}}));
    item_["content"].push_back(part());
    open_.reset();
    text_.clear();
    list_ = Json::array();
    return told && end_item_as(status);
  }

  bool end_item_as(const char* status) {
    item_["status"] = status;
    output_.push_back(item_);
    return tell("response.output_item.done", {{"output_index", output_.size() - 1}, {"item", item_}});
  }

  // Comes whole.
  bool call(const Piece& piece) {
    const auto spaced = spaced_.find(piece.name);
    const std::string name(spaced == spaced_.end() ? piece.name : spaced->second.name);
    item_ = {{"id", new_id("fc_")}, {"type", "function_call"}, {"call_id", new_id("call_")}, {"name", name}};
    if (spaced != spaced_.end()) item_["namespace"] = spaced->second.space;
    item_["arguments"] = "";
    item_["status"] = kRunning;
    if (!tell("response.output_item.added", {{"output_index", output_.size()}, {"item", item_}})) return false;
    item_["arguments"] = piece.arguments;
    Json delta = place(), done = place();
    delta["delta"] = piece.arguments;
    done["name"] = name;
    done["arguments"] = piece.arguments;
    return tell("response.function_call_arguments.delta", delta) &&
           tell("response.function_call_arguments.done", done) && end_item_as(kCompleted);
  }

  const ReplyPointer reply_;
  ServerSentEvents events_;
  const Model& model_;
  const bool stream_, has_tools_, logprobs_;
  const std::map<std::string, SpacedName, std::less<>> spaced_;
  const Json told_;
  const std::string id_ = new_id("resp_");
  const std::int64_t created_ = std::time(nullptr);
  bool started_ = false;
  std::size_t sequence_ = 0;

  Json output_ = Json::array();  // items that have ended
  std::optional<Saying> open_;   // what the open one is
  Json item_;
  std::string text_;           // of it
  Json list_ = Json::array();  // the probabilities of its tokens
};

}  // namespace

std::unique_ptr<AnswerWriter> response_writer(const ResponseRequest& asked, const Model& model, ReplyPointer reply) {
  return std::make_unique<ResponseWriter>(asked, model, std::move(reply));
}

}  // namespace lfm::serve
