#include "talk/events.h"

#include "base/try.h"
#include "talk/message_json.h"

namespace lfm::cli {
namespace {

const char* event_name(PieceKind kind) {
  switch (kind) {
    case PieceKind::kText:
      return "text";
    case PieceKind::kReasoning:
      return "reasoning";
    case PieceKind::kToolCall:
      return "tool_call";
    case PieceKind::kMalformedCall:
      break;
  }
  return "malformed_call";
}

Error wrong(const char* field, const char* what) {
  return Error{ErrorCode::kFormat, what, field};
}

}  // namespace

std::string ready_event(const Talk& talk, std::size_t context_tokens) {
  const ModelInfo& info = talk.engine().info();
  return json_line({{"event", "ready"},
                    {"model", info.name},
                    {"form", to_string(talk.chat().form())},
                    {"context_tokens", context_tokens}});
}

std::string piece_event(const Piece& piece) {
  Json event = {{"event", event_name(piece.kind)}};
  if (piece.kind == PieceKind::kToolCall) {
    event["name"] = piece.name;
    auto arguments = parse_json(piece.arguments);
    event["arguments"] = arguments.ok() ? *std::move(arguments) : Json::object();
  }
  event["text"] = piece.text;
  if (piece.kind == PieceKind::kMalformedCall) event["error"] = piece.error;
  if (piece.kind == PieceKind::kToolCall && !piece.error.empty()) event["repaired"] = piece.error;
  return json_line(event);
}

std::string finish_event(const Answer& answer, double prompt_seconds) {
  const Finish& finish = answer.finish;
  Json event = {{"event", "finish"},
                {"reason", to_string(finish.reason)},
                {"text", answer.message.content},
                {"tool_calls", finish.tool_calls},
                {"tokens", finish.tokens},
                {"reasoning_tokens", finish.reasoning_tokens},
                {"seconds", finish.seconds},
                {"prompt_reused_tokens", answer.prompt.reused},
                {"prompt_evaluated_tokens", answer.prompt.evaluated},
                {"prompt_seconds", prompt_seconds}};
  if (finish.empty()) event["message"] = finish.describe();
  return json_line(event);
}

std::string done_event(const std::string& command, const std::vector<std::string>& lines) {
  return json_line({{"event", "done"}, {"command", command}, {"lines", lines}});
}

std::string error_event(const Error& error) {
  return json_line({{"event", "error"}, {"code", to_string(error.code)}, {"message", error.describe()}});
}

Result<ScriptLine> parse_script_line(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string::npos || line[begin] != '{') {
    LFM_ASSIGN(Request request, parse_request(line));
    if (request.verb == Verb::kEdit)
      return Error{ErrorCode::kArgument,
                   "/edit is for the prompt; here it is {\"role\":\"user\",\"content\":\"...\",\"edit\":1}"};
    Message message{Role::kUser, request.text};
    return ScriptLine{std::move(request), std::move(message)};
  }
  LFM_ASSIGN(const Json json, parse_json(line));
  ScriptLine out;
  LFM_ASSIGN(out.message, message_of(json));
  const bool said = json.contains("content") && !json["content"].is_null();
  if (!said && out.message.role != Role::kAssistant) return wrong("content", "isn't a text");
  if (!json.contains("edit")) return out;
  const Json& edit = json["edit"];
  if (out.message.role != Role::kUser || !edit.is_number_unsigned() || edit == 0)
    return wrong("edit", "isn't a question's number");
  out.request.verb = Verb::kEdit;
  out.request.number = edit.get<std::size_t>();
  return out;
}

}  // namespace lfm::cli
