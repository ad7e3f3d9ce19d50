#include <ctime>

#include "serve/http/events.h"
#include "serve/openai/chat.h"
#include "serve/openai/json.h"
#include "serve/openai/openai.h"

namespace lfm::serve {
namespace {

Json call_json(const Piece& piece) {
  return {{"id", new_id("call_")},
          {"type", "function"},
          {"function", {{"name", piece.name}, {"arguments", piece.arguments}}}};
}

// What both ways to answer have in common.
class ChatWriter : public AnswerWriter {
 public:
  ChatWriter(const ChatCompletion& asked, const Model& model, ReplyPointer reply)
      : reply_(std::move(reply)),
        model_(model),
        has_tools_(asked.request.has_tools()),
        logprobs_(asked.logprobs),
        choices_(asked.request.choices) {}

 protected:
  Json envelope(const char* object) const { return serve::envelope(id_, object, created_, model_.name()); }
  Json logprobs(const Piece& piece) const {
    return {{"content", logprobs_json(piece, model_.engine().tokenizer())}, {"refusal", nullptr}};
  }

  const ReplyPointer reply_;
  const Model& model_;
  const bool has_tools_;
  const bool logprobs_;
  const std::size_t choices_;

 private:
  const std::string id_ = new_id("chatcmpl-");
  const std::int64_t created_ = std::time(nullptr);
};

class WholeChat final : public ChatWriter {
 public:
  using ChatWriter::ChatWriter;

  bool piece(std::size_t choice, const Piece& piece) override {
    if (parts_.size() <= choice) parts_.resize(choice + 1);
    Part& part = parts_[choice];
    switch (saying(piece, has_tools_)) {
      case Saying::kText:
        part.content += piece.text;
        if (logprobs_) {
          for (Json& one : logprobs_json(piece, model_.engine().tokenizer())) part.logprobs.push_back(std::move(one));
        }
        break;
      case Saying::kThinking:
        part.reasoning += piece.text;
        break;
      case Saying::kCall:
        part.calls.push_back(call_json(piece));
        break;
    }
    return true;
  }

  void finish(const Outcome& outcome) override {
    Json body = envelope("chat.completion");
    body["choices"] = Json::array();
    parts_.resize(outcome.choices.size());
    for (std::size_t i = 0; i < outcome.choices.size(); ++i) {
      const Part& part = parts_[i];
      Json message = {{"role", "assistant"}, {"content", nullptr}};
      if (!part.content.empty() || (part.calls.empty() && !outcome.choices[i].thinking_open))
        message["content"] = part.content;
      if (!part.reasoning.empty()) message["reasoning_content"] = part.reasoning;
      if (!part.calls.empty()) message["tool_calls"] = part.calls;
      Json choice = {{"index", i}, {"message", std::move(message)}, {"logprobs", nullptr}};
      if (logprobs_) choice["logprobs"] = {{"content", part.logprobs}, {"refusal", nullptr}};
      choice["finish_reason"] = finish_word(outcome.choices[i]);
      body["choices"].push_back(std::move(choice));
    }
    body["usage"] = usage_json(outcome);
    body["timings"] = timings_json(outcome);
    reply_->send({200, json_text(body)});
  }

  void fail(const ApiError& error) override { reply_->send(openai_error(error)); }

 private:
  struct Part {
    std::string content;
    std::string reasoning;
    Json calls = Json::array();
    Json logprobs = Json::array();
  };
  std::vector<Part> parts_;
};

class StreamedChat final : public ChatWriter {
 public:
  StreamedChat(const ChatCompletion& asked, const Model& model, ReplyPointer reply)
      : ChatWriter(asked, model, reply),
        events_(std::move(reply)),
        usage_(asked.usage),
        progress_(asked.progress),
        states_(choices_) {}

  void begin() override { events_.open(); }

  bool progress(std::size_t tokens, std::size_t of) override {
    if (!progress_) return true;
    Json chunk = this->chunk(0, {{"role", "assistant"}, {"content", nullptr}});
    chunk["prompt_progress"] = {{"total", of}, {"processed", tokens}};
    return events_.send(chunk);
  }

  bool piece(std::size_t choice, const Piece& piece) override {
    State& state = states_[choice];
    if (!std::exchange(state.begun, true) && !say(choice, {{"role", "assistant"}, {"content", nullptr}})) return false;
    switch (saying(piece, has_tools_)) {
      case Saying::kThinking:
        return piece.text.empty() || say(choice, {{"reasoning_content", piece.text}});
      case Saying::kCall:
        return call(choice, piece);
      default:
        return text(choice, piece);
    }
  }

  void finish(const Outcome& outcome) override {
    for (std::size_t i = 0; i < outcome.choices.size(); ++i) {
      if (!states_[i].begun) say(i, {{"role", "assistant"}, {"content", nullptr}});
      Json last = chunk(i, Json::object());
      last["choices"][0]["finish_reason"] = finish_word(outcome.choices[i]);
      if (i + 1 == outcome.choices.size()) last["timings"] = timings_json(outcome);
      events_.send(last);
    }
    if (usage_) {
      Json last = envelope("chat.completion.chunk");
      last["choices"] = Json::array();
      last["usage"] = usage_json(outcome);
      last["timings"] = timings_json(outcome);
      events_.send(last);
    }
    events_.done();
  }

  void fail(const ApiError& error) override { events_.fail(openai_error(error), error_json(error)); }

 private:
  struct State {
    bool begun = false;
    std::size_t calls = 0;
  };

  Json chunk(std::size_t choice, Json delta) const {
    Json out = envelope("chat.completion.chunk");
    out["choices"] = {{{"index", choice}, {"delta", std::move(delta)}, {"finish_reason", nullptr}}};
    return out;
  }

  bool say(std::size_t choice, Json delta) { return events_.send(chunk(choice, std::move(delta))); }

  bool text(std::size_t choice, const Piece& piece) {
    if (piece.text.empty() && !logprobs_) return true;
    Json chunk = this->chunk(choice, {{"content", piece.text}});
    if (logprobs_) chunk["choices"][0]["logprobs"] = logprobs(piece);
    return events_.send(chunk);
  }

  // First who is called, then with what.
  bool call(std::size_t choice, const Piece& piece) {
    const std::size_t index = states_[choice].calls++;
    Json first = call_json(piece);
    first["index"] = index;
    first["function"]["arguments"] = "";
    const Json rest = {{"index", index}, {"function", {{"arguments", piece.arguments}}}};
    return say(choice, {{"tool_calls", Json::array({first})}}) && say(choice, {{"tool_calls", Json::array({rest})}});
  }

  ServerSentEvents events_;
  const bool usage_;
  const bool progress_;
  std::vector<State> states_;
};

}  // namespace

std::unique_ptr<AnswerWriter> chat_completion_writer(const ChatCompletion& asked, const Model& model,
                                                     ReplyPointer reply) {
  if (asked.stream) return std::make_unique<StreamedChat>(asked, model, std::move(reply));
  return std::make_unique<WholeChat>(asked, model, std::move(reply));
}

}  // namespace lfm::serve
