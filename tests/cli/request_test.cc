// What lines at the prompt ask for.
#include "talk/request.h"

#include <gtest/gtest.h>

#include "support/expect.h"

namespace lfm::cli {
namespace {

using test::expect_error;

Request parsed(std::string_view line) {
  auto request = parse_request(line);
  EXPECT_TRUE(request.ok()) << line << ": " << (request.ok() ? "" : request.error().describe());
  return request.ok() ? *request : Request{};
}

TEST(Request, TextIsAMessage) {
  for (const std::string line : {"Hello", "", " /undo", "a /undo", "1/2", "\xff"}) {
    EXPECT_EQ(parsed(line).verb, Verb::kSay) << line;
    EXPECT_EQ(parsed(line).text, line);
  }
}

TEST(Request, PathsAndCommentsAreMessages) {
  for (const std::string line : {"/var/log/boot what is in it?", "/etc/x", "/* sums */\nint f();", "/**", "/save/me"}) {
    EXPECT_EQ(parsed(line).verb, Verb::kSay) << line;
    EXPECT_EQ(parsed(line).text, line);
  }
  EXPECT_EQ(parsed("/save a/b*").verb, Verb::kSave);
}

TEST(Request, TwoSlashesBeginAMessageWithOne) {
  EXPECT_EQ(parsed("//etc/passwd is a file").verb, Verb::kSay);
  EXPECT_EQ(parsed("//etc/passwd is a file").text, "/etc/passwd is a file");
  EXPECT_EQ(parsed("//").text, "/");
}

TEST(Request, EveryCommand) {
  const std::pair<std::string, Verb> commands[] = {
      {"/help", Verb::kHelp},        {"/system", Verb::kSystem}, {"/undo", Verb::kUndo},   {"/edit", Verb::kEdit},
      {"/regen", Verb::kRegenerate}, {"/show", Verb::kShow},     {"/tools", Verb::kTools}, {"/save a", Verb::kSave},
      {"/load a", Verb::kLoad},      {"/stats", Verb::kStats},   {"/clear", Verb::kClear}, {"/exit", Verb::kExit},
  };
  for (const auto& [line, verb] : commands) {
    EXPECT_EQ(parsed(line).verb, verb) << line;
    EXPECT_EQ(parsed(line + " \t").verb, verb) << line;
  }
}

TEST(Request, NamesFromElsewhere) {
  EXPECT_EQ(parsed("/bye").verb, Verb::kExit);
  EXPECT_EQ(parsed("/quit").verb, Verb::kExit);
  EXPECT_EQ(parsed("/?").verb, Verb::kHelp);
  EXPECT_EQ(parsed("/reset").verb, Verb::kClear);
  EXPECT_EQ(parsed("/retry").verb, Verb::kRegenerate);
}

TEST(Request, NumbersAreChecked) {
  EXPECT_EQ(parsed("/undo").number, 0u);
  EXPECT_EQ(parsed("/undo 3").number, 3u);
  EXPECT_EQ(parsed("/edit  12 ").number, 12u);
  for (const std::string number : {"0", "-1", "1x", "x", "1 2", "1.5", "+1", "99999999999999999999999"}) {
    expect_error(parse_request("/edit " + number), ErrorCode::kArgument, "/edit takes a number from 1: /edit [N]");
  }
}

TEST(Request, ArgumentsKeepTheirSpacesInside) {
  EXPECT_EQ(parsed("/save  my talk.json ").text, "my talk.json");
  EXPECT_EQ(parsed("/system Be brief.\nAnd kind.").text, "Be brief.\nAnd kind.");
  EXPECT_EQ(parsed("/system").text, "");
  EXPECT_EQ(parsed("/tools").text, "");
}

TEST(Request, WrongOnesSayWhatToDo) {
  expect_error(parse_request("/save"), ErrorCode::kArgument, "/save needs a file: /save FILE");
  expect_error(parse_request("/load "), ErrorCode::kArgument, "/load needs a file");
  expect_error(parse_request("/clear all"), ErrorCode::kArgument, "/clear stands alone");
  for (const std::string line : {"/", "/un", "/UNDO", "/undo\x01", "/quits"}) {
    expect_error(parse_request(line), ErrorCode::kArgument, "/help lists them");
  }
}

TEST(Request, HelpHasEveryCommand) {
  std::string help;
  for (const std::string& line : help_lines()) help += line + "\n";
  const std::vector<std::string> commands = complete_command("/");
  EXPECT_EQ(commands.size(), 12u);
  for (const std::string& command : commands) EXPECT_NE(help.find(command + " "), std::string::npos) << command;
}

TEST(Request, TabCompletes) {
  EXPECT_EQ(complete_command("/re"), std::vector<std::string>{"/regen"});
  EXPECT_EQ(complete_command("/s"), (std::vector<std::string>{"/system", "/show", "/save", "/stats"}));
  EXPECT_TRUE(complete_command("/x").empty());
  EXPECT_TRUE(complete_command("hello").empty());
}

}  // namespace
}  // namespace lfm::cli
