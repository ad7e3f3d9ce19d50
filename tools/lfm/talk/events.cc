#include "talk/events.h"

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

Json ready_event(const Talk& talk, std::size_t context_tokens) {
  const ModelInfo& info = talk.engine().info();
  return {{"event", "ready"},
          {"model", info.name},
          {"form", to_string(talk.chat().form())},
          {"context_tokens", context_tokens}};
}

Json piece_event(const Piece& piece) {
  Json event = {{"event", event_name(piece.kind)}};
  if (piece.kind == PieceKind::kToolCall) {
    event["name"] = piece.name;
    auto arguments = parse_json(piece.arguments);
    event["arguments"] = arguments.ok() ? *std::move(arguments) : Json::object();
  }
  event["text"] = piece.text;
  if (piece.kind == PieceKind::kMalformedCall) event["error"] = piece.error;
  return event;
}

Json finish_event(const Answer& answer, double prompt_seconds) {
  const Finish& finish = answer.finish;
  Json event = {{"event", "finish"},
                {"reason", to_string(finish.reason)},
                {"tool_calls", finish.tool_calls},
                {"tokens", finish.tokens},
                {"reasoning_tokens", finish.reasoning_tokens},
                {"seconds", finish.seconds},
                {"prompt_reused_tokens", answer.prompt.reused},
                {"prompt_evaluated_tokens", answer.prompt.evaluated},
                {"prompt_seconds", prompt_seconds}};
  if (finish.empty()) event["message"] = finish.describe();
  return event;
}

Json done_event(const std::string& command, const std::vector<std::string>& lines) {
  return {{"event", "done"}, {"command", command}, {"lines", lines}};
}

Json error_event(const Error& error) {
  return {{"event", "error"}, {"code", to_string(error.code)}, {"message", error.describe()}};
}

Result<ScriptLine> parse_script_line(const std::string& line) {
  if (!line.starts_with('{')) {
    auto request = parse_request(line);
    if (!request.ok()) return std::move(request).error();
    if (request->verb != Verb::kEdit) return ScriptLine{*std::move(request)};
    return Error{ErrorCode::kArgument,
                 "/edit is for the prompt; here it is {\"role\":\"user\",\"content\":\"...\",\"edit\":1}"};
  }
  auto json = parse_json(line);
  if (!json.ok()) return std::move(json).error();
  const Json role = json->value("role", Json());
  if (role != "user" && role != "tool") return wrong("role", "is neither user nor tool");
  if (!json->contains("content") || !(*json)["content"].is_string()) return wrong("content", "isn't a text");
  ScriptLine out;
  out.role = role == "user" ? Role::kUser : Role::kTool;
  out.request.text = (*json)["content"].get<std::string>();
  if (!json->contains("edit")) return out;
  const Json& edit = (*json)["edit"];
  if (out.role != Role::kUser || !edit.is_number_unsigned() || edit == 0)
    return wrong("edit", "isn't a question's number");
  out.request.verb = Verb::kEdit;
  out.request.number = edit.get<std::size_t>();
  return out;
}

}  // namespace lfm::cli
