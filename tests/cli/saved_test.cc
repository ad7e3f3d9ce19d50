// Saved conversations: what is written comes back, and any file whatever is taken or refused.
#include "talk/saved.h"

#include <sys/stat.h>
#include <unistd.h>

#include <random>

#include "support/expect.h"
#include "support/temp_folder.h"

namespace lfm::cli {
namespace {

using test::expect_error;
using test::expect_ok;

Conversation sample() {
  Conversation out;
  out.system = "Be \"brief\".\n";
  out.tools = R"([{"name":"f","parameters":{"z":1,"a":[true,null]}}])";
  out.messages = {{Role::kUser, "Hello 日本語 \x1b[2J"},
                  {Role::kAssistant, "", "hm", {{"f", R"({"z":1,"a":{"b":[1.5,"x"]}})"}, {"g.h", "{}"}}, {5, 0, 77}},
                  {Role::kTool, ""},
                  {Role::kAssistant, "Done."}};
  return out;
}

void expect_same(const Conversation& left, const Conversation& right) {
  EXPECT_EQ(left.system, right.system);
  EXPECT_EQ(left.tools, right.tools);
  ASSERT_EQ(left.messages.size(), right.messages.size());
  for (std::size_t i = 0; i < left.messages.size(); ++i) {
    EXPECT_EQ(left.messages[i].role, right.messages[i].role) << i;
    EXPECT_EQ(left.messages[i].content, right.messages[i].content) << i;
    EXPECT_EQ(left.messages[i].reasoning, right.messages[i].reasoning) << i;
    EXPECT_EQ(left.messages[i].tool_calls, right.messages[i].tool_calls) << i;
    EXPECT_EQ(left.messages[i].tokens, right.messages[i].tokens) << i;
  }
}

std::string file_with(const std::string& messages) {
  return R"({"format":"lfm chat","version":1,"messages":)" + messages + "}";
}

TEST(Saved, ComesBackAsItWas) {
  auto back = conversation_from_json(to_json(sample(), "model"));
  ASSERT_TRUE(back.ok()) << back.error().describe();
  expect_same(*back, sample());
  auto empty = conversation_from_json(to_json({}, ""));
  ASSERT_TRUE(empty.ok());
  expect_same(*empty, {});
}

TEST(Saved, FilesFromOtherSystems) {
  const test::TempFolder folder;
  const std::string text = to_json(sample(), "model");
  const auto back = read_saved(folder.write("marked.json", "\xEF\xBB\xBF" + text));
  ASSERT_TRUE(back.ok()) << back.error().describe();
  expect_same(*back, sample());
  expect_error(read_saved(folder.write("wide.json", "\xFF\xFE{")), ErrorCode::kFormat, "UTF-16");
}

TEST(Saved, TextThatIsNotUtf8IsMadeSo) {
  Conversation conversation;
  conversation.messages = {{Role::kUser,
                            "a\xff\xe6"
                            "b"}};
  auto back = conversation_from_json(to_json(conversation, "\xff"));
  ASSERT_TRUE(back.ok()) << back.error().describe();
  EXPECT_EQ(back->messages[0].content,
            "a\uFFFD\uFFFD"
            "b");
}

TEST(Saved, OtherFilesAreRefused) {
  for (const std::string text : {"", "{", "null", "[]", "{}", R"({"format":1})", R"({"format":"lfm chat"})",
                                 R"({"format":"lfm chat","version":2,"messages":[]})",
                                 R"({"format":"lfm chat","version":1})", "\xff\xfe", "GGUF"}) {
    const auto conversation = conversation_from_json(text);
    ASSERT_FALSE(conversation.ok()) << text;
    EXPECT_EQ(conversation.error().code, ErrorCode::kFormat) << text;
  }
}

TEST(Saved, ErrorsNameFieldAndMessage) {
  const std::string good = R"({"role":"user","content":"a"},)";
  const std::pair<std::string, std::string> cases[] = {
      {"1", "messages: isn't an object (index 1)"},
      {R"({})", "role: is none of user, assistant, tool, system and developer (index 1)"},
      {R"({"role":"system","content":"x"})", "role: is none of user, assistant and tool (index 1)"},
      {R"({"role":"user","content":1})", "content: isn't a text (index 1)"},
      {R"({"role":"assistant","reasoning":[]})", "reasoning: isn't a text (index 1)"},
      {R"({"role":"assistant","tool_calls":{}})", "tool_calls: isn't a list (index 1)"},
      {R"({"role":"assistant","tool_calls":[{"name":"f"}]})", "tool_calls: isn't an object with a name"},
      {R"({"role":"assistant","tool_calls":[{"name":"f","arguments":"[]"}]})", "tool_calls: isn't an object with"},
      {R"({"role":"assistant","tokens":[1,-1]})", "tokens: isn't a list of token ids (index 1)"},
      {R"({"role":"assistant","tokens":[1e300]})", "tokens: isn't a list of token ids (index 1)"},
      {R"({"role":"assistant","tokens":[18446744073709551615]})", "tokens: isn't a list of token ids (index 1)"},
      {R"({"role":"assistant","tokens":[2147483648]})", "tokens: isn't a list of token ids (index 1)"},
  };
  for (const auto& [message, says] : cases) {
    expect_error(conversation_from_json(file_with("[" + good + message + "]")), ErrorCode::kFormat, says);
  }
  expect_error(conversation_from_json(R"({"format":"lfm chat","version":1,"messages":[],"tools":[1]})"),
               ErrorCode::kFormat, "tools: isn't an object (index 0)");
}

TEST(Saved, DeepAndDamagedJsonIsRefused) {
  expect_error(conversation_from_json(std::string(1 << 20, '[')), ErrorCode::kFormat, "");
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  expect_error(conversation_from_json(file_with(deep)), ErrorCode::kFormat, "nests deeper than 64");
  expect_error(conversation_from_json(file_with("1e999")), ErrorCode::kFormat, "too large");
  expect_error(conversation_from_json(file_with("[")), ErrorCode::kFormat, "isn't JSON (at byte");
}

TEST(Saved, AnyDamageIsSurvived) {
  const std::string whole = to_json(sample(), "model");
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::string text = whole.substr(0, round % 4 == 0 ? random() % whole.size() : whole.size());
    for (std::size_t n = random() % 4; n > 0 && !text.empty(); --n)
      text[random() % text.size()] = static_cast<char>(random());
    const auto conversation = conversation_from_json(text);
    if (conversation.ok()) expect_ok(conversation_from_json(to_json(*conversation, "")));
  }
}

TEST(Saved, FilesAreTheUsersAlone) {
  const test::TempFolder folder;
  const std::string path = folder.path("talk.json");
  expect_ok(write_saved(path, to_json(sample(), "model")));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  auto back = read_saved(path);
  ASSERT_TRUE(back.ok()) << back.error().describe();
  expect_same(*back, sample());
  expect_ok(write_saved(path, to_json({}, "model")));
  EXPECT_TRUE(read_saved(path)->messages.empty());
  EXPECT_EQ(folder.files().size(), 1u);
}

TEST(Saved, NothingElseIsOverwritten) {
  const test::TempFolder folder;
  const std::string path = folder.write("model.gguf", "GGUF");
  expect_error(write_saved(path, to_json({}, "")), ErrorCode::kArgument, "is no saved conversation");
  EXPECT_EQ(test::read_all(path), "GGUF");
  expect_error(write_saved(folder.path("no/folder.json"), "{}"), ErrorCode::kIo, "cannot write: No such file");
  expect_error(write_saved(folder.path("."), "{}"), ErrorCode::kArgument, "is no saved conversation");
}

TEST(Saved, OnlyRegularFilesAreRead) {
  const test::TempFolder folder;
  ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
  expect_error(read_saved(folder.path("pipe")), ErrorCode::kIo, "not a regular file");
  expect_error(read_saved(folder.path(".")), ErrorCode::kIo, "not a regular file");
  expect_error(read_saved("/dev/zero"), ErrorCode::kIo, "not a regular file");
  expect_error(read_saved(folder.path("missing")), ErrorCode::kIo, "No such file");
  const std::string big = folder.write("big", "");
  ASSERT_EQ(::truncate(big.c_str(), static_cast<off_t>(kSavedBytes) + 1), 0);
  expect_error(read_saved(big), ErrorCode::kLimit, "larger than 64 MiB");
}

TEST(Saved, ToolListsAreCheckedAndKeptInOrder) {
  EXPECT_EQ(tools_from_json(" [ {\"name\": \"f\", \"b\": 1, \"a\": 2} ] ").value(), R"([{"name":"f","b":1,"a":2}])");
  EXPECT_EQ(tools_from_json("[]").value(), "");
  expect_error(tools_from_json("{}"), ErrorCode::kFormat, "tools: isn't a list");
  expect_error(tools_from_json("[{}, 1]"), ErrorCode::kFormat, "tools: isn't an object (index 1)");
  expect_error(tools_from_json("[{},]"), ErrorCode::kFormat, "isn't JSON (at byte 5)");
}

}  // namespace
}  // namespace lfm::cli
