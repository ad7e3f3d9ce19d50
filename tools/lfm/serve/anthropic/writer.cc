#include <algorithm>
#include <optional>
#include <utility>

#include "serve/anthropic/anthropic.h"
#include "serve/http/events.h"
#include "serve/model/model.h"

namespace lfm::serve {
namespace {

// What both ways to answer have in common.
class MessageWriter : public AnswerWriter {
 public:
  MessageWriter(const AnthropicRequest& asked, const Model& model, ReplyPointer reply)
      : reply_(std::move(reply)),
        model_(model),
        has_tools_(asked.request.has_tools()),
        stops_(asked.request.generate.stop) {}

 protected:
  // What kind of block a piece belongs to.
  Saying block_of(const Piece& piece) const { return saying(piece, has_tools_); }

  // Without what is told when it has ended.
  Json message() const {
    return {{"id", id_},
            {"type", "message"},
            {"role", "assistant"},
            {"model", model_.name()},
            {"content", Json::array()},
            {"stop_reason", nullptr},
            {"stop_sequence", nullptr}};
  }

  static Json new_block(Saying kind, const Piece& piece) {
    switch (kind) {
      case Saying::kThinking:
        return {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}};
      case Saying::kCall:
        return {{"type", "tool_use"}, {"id", new_id("toolu_")}, {"name", piece.name}, {"input", Json::object()}};
      default:
        return {{"type", "text"}, {"text", ""}};
    }
  }

  // Why it ended, into an object. Which of several stop strings it was isn't known.
  void add_end(const Finish& finish, Json& out) const {
    const bool stopped = finish.reason == FinishReason::kStop;
    const std::string_view word = finish_word(finish);
    out["stop_reason"] = stopped                              ? "stop_sequence"
                         : word == "length"                   ? "max_tokens"
                         : word == "tool_calls" && has_tools_ ? "tool_use"
                                                              : "end_turn";
    out["stop_sequence"] = stopped && stops_.size() == 1 ? Json(stops_.front()) : Json();
  }

  // As Anthropic counts: what needn't be read is told apart.
  static Json usage(std::size_t prompt, std::size_t cached, std::size_t said) {
    return {{"input_tokens", prompt - std::min(prompt, cached)},
            {"cache_creation_input_tokens", 0},
            {"cache_read_input_tokens", cached},
            {"output_tokens", said}};
  }
  static Json usage(const Outcome& outcome) {
    return usage(outcome.prompt_tokens, outcome.cached_tokens, outcome.generated());
  }

  const ReplyPointer reply_;

 private:
  const Model& model_;
  const bool has_tools_;
  const std::vector<std::string> stops_;
  const std::string id_ = new_id("msg_");
};

class WholeMessage final : public MessageWriter {
 public:
  using MessageWriter::MessageWriter;

  bool piece(std::size_t, const Piece& piece) override {
    const Saying kind = block_of(piece);
    if (kind == Saying::kCall) {
      end_block();
      Json block = new_block(kind, piece);
      if (auto input = cli::parse_json(piece.arguments); input.ok()) block["input"] = *std::move(input);
      content_.push_back(std::move(block));
      return true;
    }
    if (piece.text.empty()) return true;
    if (kind_ != kind) {
      end_block();
      kind_ = kind;
    }
    text_ += piece.text;
    return true;
  }

  void finish(const Outcome& outcome) override {
    end_block();
    Json body = message();
    body["content"] = std::move(content_);
    if (!outcome.choices.empty()) add_end(outcome.choices.front(), body);
    body["usage"] = usage(outcome);
    reply_->send({200, json_text(body)});
  }

  void fail(const ApiError& error) override { reply_->send(anthropic_error(error)); }

 private:
  void end_block() {
    if (!kind_) return;
    Json block = new_block(*kind_, {});
    block[*kind_ == Saying::kText ? "text" : "thinking"] = std::exchange(text_, {});
    content_.push_back(std::move(block));
    kind_.reset();
  }

  std::optional<Saying> kind_;  // of what `text_` is
  std::string text_;
  Json content_ = Json::array();
};

class StreamedMessage final : public MessageWriter {
 public:
  StreamedMessage(const AnthropicRequest& asked, const Model& model, ReplyPointer reply)
      : MessageWriter(asked, model, reply), events_(std::move(reply)) {}

  void begin() override { events_.open(); }

  bool progress(std::size_t, std::size_t of) override {
    prompt_tokens_ = of;
    return true;
  }

  bool piece(std::size_t, const Piece& piece) override {
    const Saying kind = block_of(piece);
    if (!start()) return false;
    if (kind == Saying::kCall) {
      return end_block() && begin_block(kind, piece) && delta("input_json_delta", "partial_json", piece.arguments) &&
             end_block();
    }
    if (piece.text.empty()) return true;
    if (kind_ != kind && !(end_block() && begin_block(kind, piece))) return false;
    return kind == Saying::kText ? delta("text_delta", "text", piece.text)
                                 : delta("thinking_delta", "thinking", piece.text);
  }

  void finish(const Outcome& outcome) override {
    prompt_tokens_ = outcome.prompt_tokens;
    start();
    end_block();
    Json end = Json::object();
    if (!outcome.choices.empty()) add_end(outcome.choices.front(), end);
    send("message_delta", {{"delta", std::move(end)}, {"usage", usage(outcome)}});
    send("message_stop", Json::object());
    events_.end();
  }

  void fail(const ApiError& error) override {
    events_.fail(anthropic_error(error), anthropic_error_json(error), "error");
  }

 private:
  bool send(std::string_view type, const Json& more) {
    Json event = {{"type", type}};
    event.update(more);
    return events_.send(event, type);
  }

  // What comes before the first block.
  bool start() {
    if (std::exchange(started_, true)) return true;
    Json first = message();
    first["usage"] = usage(prompt_tokens_, 0, 0);
    return send("message_start", {{"message", std::move(first)}}) && send("ping", Json::object());
  }

  bool begin_block(Saying kind, const Piece& piece) {
    kind_ = kind;
    return send("content_block_start", {{"index", index_}, {"content_block", new_block(kind, piece)}});
  }

  bool delta(const char* type, const char* name, std::string_view text) {
    return send("content_block_delta", {{"index", index_}, {"delta", {{"type", type}, {name, text}}}});
  }

  bool end_block() {
    if (!kind_) return true;
    kind_.reset();
    return send("content_block_stop", {{"index", index_++}});
  }

  ServerSentEvents events_;
  std::size_t prompt_tokens_ = 0;
  bool started_ = false;
  std::optional<Saying> kind_;  // of the block that is being told
  std::size_t index_ = 0;
};

}  // namespace

std::unique_ptr<AnswerWriter> anthropic_writer(const AnthropicRequest& asked, const Model& model, ReplyPointer reply) {
  if (asked.stream) return std::make_unique<StreamedMessage>(asked, model, std::move(reply));
  return std::make_unique<WholeMessage>(asked, model, std::move(reply));
}

}  // namespace lfm::serve
