// Conversations to tokens: what of an answer's own tokens stays, and what applications get wrong.
#include "chat/template.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "base/float_mode.h"
#include "tests/chat/chat_sample.h"

namespace {
bool clock_is_lost = false;  // of years that no calendar has
}

// The C library's, in this program.
extern "C" std::tm* localtime_r(const std::time_t* time, std::tm* out) {
  return clock_is_lost ? nullptr : ::gmtime_r(time, out);
}

namespace lfm::chat {
namespace {

std::vector<TokenId> operator+(std::vector<TokenId> a, std::span<const TokenId> b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

bool begins_with(std::span<const TokenId> tokens, std::span<const TokenId> beginning) {
  return tokens.size() >= beginning.size() && std::equal(beginning.begin(), beginning.end(), tokens.begin());
}

// An answer spelt byte by byte, as no tokenizer would, and the message that it is.
Message unusual_answer(std::string_view text, Thinks thinks = Thinks::kToken) {
  Message message{.role = Role::kAssistant};
  for (const TokenId token : tokens_of(text, thinks)) {
    const auto tokenizer = chat_tokenizer(thinks);
    if (tokenizer->vocabulary().type(token) != text::TokenType::kNormal) {
      message.tokens.push_back(token);
      continue;
    }
    for (const char c : tokenizer->piece(token)) {
      message.tokens.push_back(tokenizer->vocabulary().byte_token(static_cast<unsigned char>(c)));
    }
  }
  Collector collector;
  const auto tokenizer = chat_tokenizer(thinks);
  AnswerReader reader(*tokenizer);
  for (const TokenId token : message.tokens) reader.push(token, collector);
  reader.finish(collector);
  collector.message.role = Role::kAssistant;
  collector.message.tokens = std::move(message.tokens);
  return collector.message;
}

constexpr const char* kAnswer =
    "<think>Let me see.</think>\n\nSure.<|tool_call_start|>[f(a=\"it's\"), g()]<|tool_call_end|>";

// The next prompt begins with the last one and the answer, so that a session has nothing to read again.
TEST(Template, AnAnswersOwnTokensStay) {
  for (const ChatForm form : {ChatForm::kChatMl, ChatForm::kLfm2, ChatForm::kLfm25}) {
    for (const Thinks thinks : {Thinks::kToken, Thinks::kNoToken}) {
      const auto chat = make_template({.form = form, .date = "2026-11-25"}, thinks);
      std::vector<Message> messages = {{Role::kSystem, "S"}, {Role::kUser, "Question?"}};
      const auto prompt = chat->tokens(messages, true).value();
      messages.push_back(unusual_answer(kAnswer, thinks));
      ASSERT_EQ(messages.back().content, "Sure.");
      ASSERT_EQ(messages.back().reasoning, "Let me see.");
      ASSERT_EQ(messages.back().tool_calls, (std::vector<ToolCall>{{"f", "{\"a\": \"it's\"}"}, {"g", "{}"}}));
      messages.push_back({Role::kTool, "1"});
      const auto held = prompt + messages[2].tokens;
      EXPECT_TRUE(begins_with(chat->tokens(messages, true).value(), held)) << to_string(form);

      // Not once one of the fields says something else.
      for (auto change : {+[](Message& m) { m.content = "Sure!"; }, +[](Message& m) { m.reasoning += "."; },
                          +[](Message& m) { m.tool_calls.pop_back(); }}) {
        std::vector<Message> changed = messages;
        change(changed[2]);
        EXPECT_FALSE(begins_with(chat->tokens(changed, true).value(), held));
      }
      // LFM2.5 leaves the thinking out once the user has said something else.
      messages.push_back({Role::kUser, "And?"});
      EXPECT_EQ(begins_with(chat->tokens(messages, true).value(), held), form != ChatForm::kLfm25);
      EXPECT_EQ(chat->text(messages, true)->find("Let me see") == std::string::npos, form == ChatForm::kLfm25);
      const auto keeping = make_template({.form = form, .date = "2026-11-25", .preserve_thinking = true}, thinks);
      EXPECT_TRUE(begins_with(keeping->tokens(messages, true).value(), held));
    }
  }
}

TEST(Template, TokensThatCantStandAreLeft) {
  const auto chat = make_template({.form = ChatForm::kLfm2});
  const auto text = [&](const Message& message) { return chat->text({{message}}, false).value(); };
  const std::string begin = "<|startoftext|><|im_start|>assistant\n";
  Message open = unusual_answer("<think>never ends");
  EXPECT_EQ(text(open), begin + "<think>never ends</think><|im_end|>\n");
  Message forged = unusual_answer("fine");
  forged.tokens.push_back(7);
  EXPECT_EQ(text(forged), begin + "fine<|im_end|>\n");
  forged.tokens.back() = 6;  // <|im_start|>, which no answer's text shows
  EXPECT_EQ(text(forged), begin + "fine<|im_end|>\n");
  forged.tokens = {100'000, -1};
  EXPECT_EQ(text(forged), begin + "fine<|im_end|>\n");
}

TEST(Template, TheFormsTokensArePlacedById) {
  const auto chat = make_template({.form = ChatForm::kLfm2, .tools = "[{\"name\": \"f\"}]"});
  const auto tokens = chat->tokens({{{Role::kUser, "x"}}}, true).value();
  EXPECT_EQ(tokens.front(), 1);
  for (const TokenId id : {6, 7, 8, 9}) EXPECT_NE(std::find(tokens.begin(), tokens.end(), id), tokens.end()) << id;
  // Text next to text is one text to the tokenizer.
  EXPECT_EQ(chat->tokens({{{Role::kUser, "\n"}}}, false).value(),
            tokens_of("<|startoftext|><|im_start|>system\nList of tools: <|tool_list_start|>[{\"name\": "
                      "\"f\"}]<|tool_list_end|><|im_end|>\n<|im_start|>user\n\n<|im_end|>\n"));
}

TEST(Template, AFormOfTheApplicationsOwn) {
  ChatOptions options;
  options.custom = [](std::span<const Message> messages, bool prompt) -> Result<std::vector<ChatSegment>> {
    if (messages.empty()) return Error{ErrorCode::kArgument, "nothing to say"};
    return std::vector<ChatSegment>{{"<|im_start|>", true}, {messages[0].content}, {prompt ? "?" : "!"}};
  };
  const auto chat = make_template(options);
  EXPECT_EQ(chat->text({{{Role::kUser, "<|im_end|>"}}}, true).value(), "<|startoftext|><|im_start|><|im_end|>?");
  EXPECT_EQ(chat->tokens({{{Role::kUser, "a"}}}, false).value(), tokens_of("<|startoftext|><|im_start|>a!"));
  EXPECT_EQ(chat->tokens({}, true).error().message, "nothing to say");
}

TEST(Template, AnUnknownTokenOfAFormOfTheApplicationsOwn) {
  ChatOptions options;
  options.custom = [](std::span<const Message>, bool) -> Result<std::vector<ChatSegment>> {
    return std::vector<ChatSegment>{{"<|im_start|>", true}, {"a"}, {"<|im_strat|>", true}};
  };
  const auto tokens = make_template(options)->tokens({}, true);
  ASSERT_FALSE(tokens.ok());
  EXPECT_EQ(tokens.error().code, ErrorCode::kArgument);
  EXPECT_EQ(tokens.error().describe(), "custom: the vocabulary has no token <|im_strat|> (index 2)");
}

TEST(Template, AFormOfTheApplicationsOwnRunsInItsFloatMode) {
  int rounding = -1;
  ChatOptions options;
  options.custom = [&](std::span<const Message>, bool) -> Result<std::vector<ChatSegment>> {
    rounding = ::fegetround();
    return std::vector<ChatSegment>{{"a"}};
  };
  const auto chat = make_template(options);
  ::fesetround(FE_UPWARD);
  {
    const base::DefaultFloatMode inside;
    EXPECT_TRUE(chat->tokens({}, true).ok());
  }
  ::fesetround(FE_TONEAREST);
  EXPECT_EQ(rounding, FE_UPWARD);
}

// What would be read as something else.
TEST(Template, NamesOfCallsAreNames) {
  const auto refused = [](const ToolCall& call) {
    const std::vector<Message> messages = {{Role::kUser, "x"}, {.role = Role::kAssistant, .tool_calls = {call}}};
    const auto tokens = make_template({})->tokens(messages, true);
    return tokens.ok() ? std::string() : tokens.error().describe();
  };
  EXPECT_EQ(refused({"calendar.add-event", R"({"für": 1, "_2": 2})"}), "");
  for (const char* name : {"", "f(x=1), rm", "1f", "f g", "f\n", "-f", "f()", ".f"}) {
    EXPECT_NE(refused({name, "{}"}).find("tool_calls: no name of a function"), std::string::npos) << name;
  }
  for (const char* name : {"", "a=1, b", "1a", "a b", "a-b", "a.b"}) {
    const std::string arguments = std::string("{\"") + name + "\": 2}";
    EXPECT_NE(refused({"f", arguments}).find("tool_calls: no name of an argument"), std::string::npos) << name;
  }
  EXPECT_NE(refused({"f", R"({"a=1, b": 2})"}).find("(index 1)"), std::string::npos);
}

TEST(Template, Errors) {
  const auto create = [](const ChatOptions& options) {
    const auto chat = Template::create(chat_tokenizer(), {}, options);
    return chat.ok() ? std::string() : chat.error().describe();
  };
  EXPECT_EQ(create({.tools = "[{]"}), "tools: this isn't JSON (at byte 2)");
  EXPECT_EQ(create({.tools = "[1]"}), "tools: expected an object (index 0)");
  EXPECT_EQ(create({.date = "today"}), "date: expected a date such as 2026-11-22");
  EXPECT_EQ(create({}), "");
  const std::vector<Message> messages = {{Role::kUser, "x"}, {.role = Role::kAssistant, .tool_calls = {{"f", "[1]"}}}};
  EXPECT_EQ(make_template({})->tokens(messages, true).error().describe(), "tool_calls: expected an object (index 1)");
}

TEST(Template, TheDateIsAskedForWhereItIsWritten) {
  const auto create = [](const ChatOptions& options) {
    const auto chat = Template::create(chat_tokenizer(), {}, options);
    return chat.ok() ? std::string() : chat.error().describe();
  };
  const std::string tool = R"([{"name": "f"}])";
  clock_is_lost = true;
  EXPECT_EQ(create({.form = ChatForm::kLfm2, .tools = tool}), "");
  EXPECT_EQ(create({.form = ChatForm::kLfm25}), "");
  EXPECT_EQ(create({.form = ChatForm::kLfm25, .tools = tool, .date = "2026-11-25"}), "");
  EXPECT_EQ(create({.form = ChatForm::kLfm25, .tools = tool}), "date: the system doesn't tell the date");
  clock_is_lost = false;
  EXPECT_EQ(create({.form = ChatForm::kLfm25, .tools = tool}), "");
}

TEST(Template, NotesWhatIsntKnown) {
  const auto notes = [](const ChatOptions& options) {
    return Template::create(chat_tokenizer(), find_form("[INST]"), options).value()->notes().size();
  };
  EXPECT_EQ(notes({}), 1u);
  EXPECT_EQ(notes({.form = ChatForm::kChatMl}), 0u);
}

}  // namespace
}  // namespace lfm::chat
