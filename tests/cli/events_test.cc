// The lines of `lfm chat --json`.
#include "talk/events.h"

#include <nlohmann/json.hpp>

#include "support/expect.h"

namespace lfm::cli {
namespace {

using test::expect_error;

TEST(Events, Pieces) {
  EXPECT_EQ(piece_event({.text = "Hi\n"}), R"({"event":"text","text":"Hi\n"})");
  EXPECT_EQ(piece_event({.text = "hm", .kind = PieceKind::kReasoning}),
            R"({"event":"reasoning","text":"hm"})");
  EXPECT_EQ(piece_event(
                {.text = "f(b=1)", .kind = PieceKind::kToolCall, .name = "f", .arguments = R"({"b":1,"a":[null]})"}),
            R"x({"event":"tool_call","name":"f","arguments":{"b":1,"a":[null]},"text":"f(b=1)"})x");
  EXPECT_EQ(piece_event({.text = "f(", .kind = PieceKind::kMalformedCall, .error = "no )"}),
            R"x({"event":"malformed_call","text":"f(","error":"no )"})x");
}

TEST(Events, LinesAreFitForAnyTerminal) {
  const std::string line = piece_event({.text = "\x1b[2J\u009b\x7f\u202e\xff"
                                                "é\n\r"});
  EXPECT_EQ(line, R"({"event":"text","text":"\u001b[2J\u009b\u007f\u202e\ufffd\u00e9\n\r"})");
}

TEST(Events, TheEndHasReasonAndStatistics) {
  Answer answer;
  answer.message.content = "Hi";
  answer.finish.reason = FinishReason::kLength;
  answer.finish.tokens = 12;
  answer.finish.text_bytes = 5;
  answer.prompt = {.reused = 30, .evaluated = 4};
  const nlohmann::json event = nlohmann::json::parse(finish_event(answer, 0.25));
  EXPECT_EQ(event["event"], "finish");
  EXPECT_EQ(event["reason"], "length");
  EXPECT_EQ(event["text"], "Hi");
  EXPECT_EQ(event["tokens"], 12);
  EXPECT_EQ(event["prompt_reused_tokens"], 30);
  EXPECT_EQ(event["prompt_evaluated_tokens"], 4);
  EXPECT_EQ(event["prompt_seconds"], 0.25);
  EXPECT_FALSE(event.contains("message"));
}

TEST(Events, Errors) {
  EXPECT_EQ(error_event({ErrorCode::kLimit, "too long", "tokens"}),
            R"({"event":"error","code":"limit","message":"tokens: too long"})");
}

TEST(ScriptLine, PlainLinesAreAsAtThePrompt) {
  const auto question = parse_script_line("What is 1 + 1?");
  ASSERT_TRUE(question.ok());
  EXPECT_EQ(question->request.verb, Verb::kSay);
  EXPECT_EQ(question->message.content, "What is 1 + 1?");
  EXPECT_EQ(question->message.role, Role::kUser);
  EXPECT_EQ(parse_script_line("/undo 2")->request.number, 2u);
  EXPECT_EQ(parse_script_line("//x")->message.content, "/x");
  expect_error(parse_script_line("/nothing"), ErrorCode::kArgument, "no command /nothing");
  expect_error(parse_script_line("/edit 1"), ErrorCode::kArgument, "\"edit\":1");
}

TEST(ScriptLine, Objects) {
  const auto user = parse_script_line(R"( {"role":"user","content":"/undo\nand {"})");
  ASSERT_TRUE(user.ok());
  EXPECT_EQ(user->request.verb, Verb::kSay);
  EXPECT_EQ(user->message.content, "/undo\nand {");
  const auto tool = parse_script_line(R"({"content":"21 C","role":"tool"})");
  ASSERT_TRUE(tool.ok());
  EXPECT_EQ(tool->message.role, Role::kTool);
  const auto edit = parse_script_line(R"({"role":"user","content":"b","edit":3})");
  ASSERT_TRUE(edit.ok());
  EXPECT_EQ(edit->request.verb, Verb::kEdit);
  EXPECT_EQ(edit->request.number, 3u);
}

TEST(ScriptLine, ObjectsAsOpenAiHasThem) {
  const auto parts = parse_script_line(
      R"({"role":"user","content":[{"type":"text","text":"What is "},{"type":"text","text":"17?"}]})");
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ(parts->message.content, "What is 17?");
  EXPECT_EQ(parse_script_line(R"({"role":"user","content":["What is ","17?"]})")->message.content, "What is 17?");
  for (const std::string role : {"system", "developer"}) {
    const auto line = parse_script_line(R"({"role":")" + role + R"(","content":"Be brief."})");
    ASSERT_TRUE(line.ok()) << role;
    EXPECT_EQ(line->message.role, Role::kSystem);
  }
  const auto call = parse_script_line(
      R"({"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[{"id":"1","type":"function",)"
      R"("function":{"name":"f","arguments":"{\"a\": 1}"}}]})");
  ASSERT_TRUE(call.ok()) << call.error().describe();
  EXPECT_EQ(call->message.reasoning, "hm");
  ASSERT_EQ(call->message.tool_calls.size(), 1u);
  EXPECT_EQ(call->message.tool_calls[0].arguments, R"({"a":1})");
}

TEST(ScriptLine, WrongObjects) {
  expect_error(parse_script_line("{"), ErrorCode::kFormat, "isn't JSON (at byte 2)");
  expect_error(parse_script_line("{} {}"), ErrorCode::kFormat, "isn't JSON");
  expect_error(parse_script_line("{}"), ErrorCode::kFormat,
               "role: is none of user, assistant, tool, system and developer");
  expect_error(parse_script_line(R"({"role":"user","role":"tool","content":""})"), ErrorCode::kFormat, "a key twice");
  expect_error(parse_script_line(R"({"role":"assistant","tool_calls":[{"name":"f","arguments":"x"}]})"),
               ErrorCode::kFormat, "tool_calls: isn't an object with a name");
  expect_error(parse_script_line(R"({"role":"user"})"), ErrorCode::kFormat, "content: isn't a text");
  expect_error(parse_script_line(R"({"role":"user","content":7})"), ErrorCode::kFormat, "content: isn't a text");
  expect_error(parse_script_line(R"({"role":"user","content":[{"type":"image_url","image_url":{}}]})"),
               ErrorCode::kFormat, "content: has a part that isn't text");
  for (const std::string edit : {"0", "-1", "1.5", "\"1\"", "null", "[]", "1e30"}) {
    expect_error(parse_script_line(R"({"role":"user","content":"b","edit":)" + edit + "}"), ErrorCode::kFormat,
                 "edit: isn't a question's number");
  }
  expect_error(parse_script_line(R"({"role":"tool","content":"b","edit":1})"), ErrorCode::kFormat, "edit: isn't");
}

}  // namespace
}  // namespace lfm::cli
