// Conversations as a model's own template writes them.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include "json/write.h"
#include "tests/chat/chat_sample.h"

namespace lfm::chat {
namespace {

constexpr const char* kTurns =
    "{{- bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

std::string jinja_file(const std::string& name) {
  std::ifstream in(std::string(LFM_JINJA_DATA) + "/templates/" + name + ".jinja");
  return {std::istreambuf_iterator<char>(in), {}};
}

Result<std::shared_ptr<const Template>> created(std::string_view source, const ChatOptions& options = {},
                                                Thinks thinks = Thinks::kToken) {
  return Template::create(chat_tokenizer(thinks), read_template(source), options);
}

std::shared_ptr<const Template> own(std::string_view source, const ChatOptions& options = {},
                                    Thinks thinks = Thinks::kToken) {
  auto chat = created(source, options, thinks).value();
  EXPECT_EQ(chat->notes(), std::vector<std::string>()) << source;
  return chat;
}

const char* const kTemplates[] = {"plain",  "blocks", "python_calls", "json_calls", "newest_thought",
                                  "strict", "schema", "wrapped",      "merged",     "numbered"};
const ChatOptions kWithTools = {.tools = R"([{"name": "f", "parameters": {"type": "object"}}])", .date = "2026-11-25"};

TEST(OwnForm, IsWrittenAsTheTemplateHasIt) {
  const auto chat = own(kTurns);
  EXPECT_EQ(chat->text({{{Role::kUser, "x"}}}, true).value(),
            "<|startoftext|><|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(chat->tokens({{{Role::kUser, "x"}}}, false).value(),
            tokens_of("<|startoftext|><|im_start|>user\nx<|im_end|>\n"));
  // Neighbouring texts are one text to the tokenizer, whoever wrote them.
  EXPECT_EQ(chat->tokens({{{Role::kUser, "\nab"}}}, false).value(),
            tokens_of("<|startoftext|><|im_start|>user\n\nab<|im_end|>\n"));
}

TEST(OwnForm, TheFirstTokenIsThereOnce) {
  const std::string without = std::string(kTurns).substr(std::string("{{- bos_token }}").size());
  for (const std::string& source : {std::string(kTurns), without}) {
    const auto tokens = own(source)->tokens({{{Role::kUser, "x"}}}, true).value();
    EXPECT_EQ(std::count(tokens.begin(), tokens.end(), 1), 1) << source;
    EXPECT_EQ(tokens.front(), 1);
  }
}

TEST(OwnForm, WhatItIsTold) {
  const std::string source =
      "{% set a = messages[1] or {} %}{{ messages[0].content }}|{{ tools | tojson }}|{{ a.thinking }}|"
      "{{ a.reasoning_content }}|{{ a.tool_calls | default([]) | tojson }}|{{ preserve_thinking is defined }}|{{ "
      "strftime_now('%d %b %Y, %A') }}|"
      "{{ eos_token }}";
  ChatOptions options = {
      .tools = R"([{"name":"f", "b":1, "a":1.50}])", .date = "2026-11-25", .preserve_thinking = true};
  const Message call = {.role = Role::kAssistant,
                        .reasoning = "hm",
                        .tool_calls = {{"f.g", R"({"x":[1,2.0,null],"big":99999999999999999999})"}}};
  EXPECT_EQ(own(source, options)->text({{{Role::kUser, "q"}, call}}, true).value(),
            "<|startoftext|>q|[{\"name\": \"f\", \"b\": 1, \"a\": 1.5}]|hm|hm|[{\"type\": \"function\", \"function\": "
            "{\"name\": \"f.g\", "
            "\"arguments\": {\"x\": [1, 2.0, null], \"big\": 99999999999999999999}}}]|True|25 Nov 2026, Wednesday|"
            "<|im_end|>");
  EXPECT_EQ(own("{{ messages[0].content }}{{ tools }}{{ preserve_thinking is defined }}")
                ->text({{{Role::kUser, "q"}}}, true)
                .value(),
            "<|startoftext|>qNoneFalse");
}

TEST(OwnForm, BuiltInFormsAreForThoseWhoAskForThem) {
  const auto chat = created("{{ messages[0].content }}", {.form = ChatForm::kChatMl}).value();
  EXPECT_EQ(chat->text({{{Role::kUser, "x"}}}, false).value(), "<|startoftext|><|im_start|>user\nx<|im_end|>\n");
}

TEST(OwnForm, ATemplateThatCantBeRunIsRecognised) {
  const auto notes = [](const std::string& source, const ChatOptions& options = {}) {
    const auto chat = created(source, options).value();
    EXPECT_TRUE(chat->text({{{Role::kUser, "x"}}}, true).value().ends_with("<|im_start|>assistant\n"));
    return chat->notes().empty() ? "" : chat->notes()[0];
  };
  const std::string as = ": messages are written as chatml has it";
  EXPECT_EQ(notes(std::string(kTurns) + "\n{% include 'x' %}"),
            "the model's chat template can't be run: there is no statement 'include' here in line 5" + as);
  EXPECT_EQ(notes(std::string(kTurns) + "{{ x.y }}"),
            "the model's chat template fails: 'x' is undefined in line 4" + as);
  EXPECT_EQ(notes(std::string(kTurns) + "{% if messages | length > 3 %}{{ x.y }}{% endif %}"),
            "the model's chat template fails: 'x' is undefined in line 4" + as);
  EXPECT_EQ(notes(std::string(kTurns) + "{{ raise_exception('no') }}"),
            "the model's chat template refuses this conversation: no" + as);
  EXPECT_EQ(notes("<|im_start|>{{ x }}"), "the model's chat template leaves out what is said" + as);
  EXPECT_EQ(notes(std::string(kTurns) + "{% for m in messages if m.tool_calls %}{{ x.y }}{% endfor %}"), "");
  EXPECT_EQ(notes(std::string(kTurns) + "{{ tools }}{% for m in messages if m.tool_calls %}{{ x.y }}{% endfor %}",
                  kWithTools),
            "the model's chat template fails: 'x' is undefined in line 4" + as);
}

TEST(OwnForm, ToolsThatATemplateDoesntKnow) {
  const auto chat = created(kTurns, kWithTools).value();
  ASSERT_EQ(chat->notes().size(), 1u);
  EXPECT_EQ(chat->notes()[0], "the model's chat template has no place for tools: the model isn't told of them");
}

TEST(OwnForm, Errors) {
  const auto chat = own(jinja_file("strict"));
  const auto refused = chat->tokens({{{Role::kUser, "a"}, {Role::kUser, "b"}}}, true);
  EXPECT_EQ(refused.error().code, ErrorCode::kArgument);
  EXPECT_EQ(refused.error().describe(), "the model's chat template refuses this conversation: Roles must alternate");
  const auto fails = own(std::string(kTurns) + "{% if messages[0].content == 'x' %}{{ 1 / 0 }}{% endif %}");
  EXPECT_EQ(fails->text({{{Role::kUser, "x"}}}, true).error().describe(),
            "the model's chat template fails: a division by zero in line 4");
  const Message call = {.role = Role::kAssistant, .tool_calls = {{"f(x=1), rm", "{}"}}};
  EXPECT_EQ(chat->tokens({{{Role::kUser, "x"}, call}}, true).error().describe(),
            "tool_calls: no name of a function: \"f(x=1), rm\" (index 1)");
}

// ---- an answer's own tokens

std::vector<TokenId> operator+(std::vector<TokenId> a, std::span<const TokenId> b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

bool is_beginning(std::span<const TokenId> beginning, std::span<const TokenId> tokens) {
  return tokens.size() >= beginning.size() && std::equal(beginning.begin(), beginning.end(), tokens.begin());
}

// What a model says, spelt byte by byte as no tokenizer would, and the message that it is.
Message said(std::string_view text) {
  const auto tokenizer = chat_tokenizer();
  Message message;
  for (const TokenId token : tokens_of(text)) {
    if (tokenizer->vocabulary().type(token) != text::TokenType::kNormal) {
      message.tokens.push_back(token);
      continue;
    }
    for (const char c : tokenizer->piece(token)) {
      message.tokens.push_back(tokenizer->vocabulary().byte_token(static_cast<unsigned char>(c)));
    }
  }
  Collector collector;
  AnswerReader reader(*tokenizer);
  for (const TokenId token : message.tokens) reader.push(token, collector);
  reader.finish(collector);
  collector.message.role = Role::kAssistant;
  collector.message.tokens = std::move(message.tokens);
  return collector.message;
}

constexpr const char* kCalls =
    "<think>Let me see.</think>\n\nSure.<|tool_call_start|>[f(a='it', n=2), g()]<|tool_call_end|>";

// A conversation goes on with what the session holds: the prompt, the answer as it was said, and what comes then.
TEST(OwnForm, AGrowingConversationIsItsOwnBeginning) {
  for (const char* name : {"plain", "python_calls", "newest_thought", "wrapped", "strict"}) {
    const auto chat = created(jinja_file(name), {.date = "2026-11-25"}).value();
    std::vector<Message> messages = {{Role::kUser, "Question?"}};
    std::vector<TokenId> held;
    for (int turn = 0; turn < 4; ++turn) {
      const auto prompt = chat->tokens(messages, true).value();
      EXPECT_TRUE(is_beginning(held, prompt)) << name << turn;
      const std::string answer = "Answer " + std::to_string(turn);
      messages.push_back(said(answer));
      held = prompt + messages.back().tokens;
      if (prompt.back() == find_token(*chat_tokenizer(), kThinkStart)) break;  // which this doesn't go on with
      messages.push_back({Role::kUser, "Next?"});
    }
  }
}

TEST(OwnForm, AnAnswersOwnTokensStayWhereTheTemplateSaysTheSame) {
  const auto tokens_after = [](const Template& chat, const Message& answer, std::vector<Message> more) {
    std::vector<Message> messages = {{Role::kUser, "Question?"}};
    const auto prompt = chat.tokens(messages, true).value();
    messages.push_back(answer);
    messages.insert(messages.end(), more.begin(), more.end());
    return is_beginning(prompt + answer.tokens, chat.tokens(messages, true).value());
  };
  const Message answer = said(kCalls);
  ASSERT_EQ(answer.tool_calls.size(), 2u);
  const Message result = {Role::kTool, "1"}, question = {Role::kUser, "And?"};
  const auto chat = own(jinja_file("python_calls"), kWithTools);
  EXPECT_TRUE(tokens_after(*chat, answer, {result}));
  EXPECT_FALSE(tokens_after(*chat, answer, {result, question}));  // it leaves the thinking out
  ChatOptions keeping = kWithTools;
  keeping.preserve_thinking = true;
  EXPECT_TRUE(tokens_after(*own(jinja_file("python_calls"), keeping), answer, {result, question}));
  for (auto change : {+[](Message& m) { m.content = "Sure!"; }, +[](Message& m) { m.reasoning += "."; },
                      +[](Message& m) { m.tool_calls.pop_back(); }}) {
    Message changed = answer;
    change(changed);
    EXPECT_FALSE(tokens_after(*chat, changed, {result}));
  }
  // A template without fields for thinking and calls is given what was said as content, as its makers do it.
  EXPECT_TRUE(tokens_after(*own(kTurns), answer, {result, question}));
  const std::string cuts =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content.split('</think>')[-1] | trim }}"
      "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
  EXPECT_EQ(
      own(cuts)->text({{question, answer}}, false).value(),
      "<|startoftext|><|im_start|>user\nAnd?<|im_end|>\n<|im_start|>assistant\nSure.<|tool_call_start|>[f(a='it', "
      "n=2), g()]<|tool_call_end|><|im_end|>\n");
  const auto tokens = own(cuts)->tokens({{question, answer}}, false).value();
  for (const TokenId id : {10, 11}) EXPECT_EQ(std::count(tokens.begin(), tokens.end(), id), 1) << id;
}

// ---- nothing that is said becomes a token of the form

TEST(OwnForm, NoTokenIsInjectedInTenThousandAttempts) {
  const auto tokenizer = chat_tokenizer();
  std::vector<std::string> names;
  for (TokenId id = 0; tokenizer->vocabulary().contains(id); ++id) {
    const auto type = tokenizer->vocabulary().type(id);
    if (type == text::TokenType::kControl || type == text::TokenType::kUserDefined) {
      names.emplace_back(tokenizer->vocabulary().bytes(id));
    }
  }
  ASSERT_GE(names.size(), 15u);
  const std::vector<std::string> scraps = {"<|",   "|>", "<", ">", "im_start", "</th",
                                           "ink>", "\n", " ", "a", "'",        "\xff"};
  std::mt19937 random(7);
  const auto pick = [&](const auto& from) -> const std::string& { return from[random() % from.size()]; };
  const auto hostile = [&] {
    std::string text = "x";
    for (auto i = random() % 6 + 1; i > 0; --i) {
      std::string part = random() % 3 != 0 ? pick(names) : pick(scraps);
      if (random() % 4 == 0) part.insert(random() % (part.size() + 1), pick(names));
      if (random() % 4 == 0) part = part.substr(0, random() % (part.size() + 1));
      text += part;
    }
    return text + "x";
  };
  const auto conversation = [](const std::string& text, bool strict) {
    std::string quoted, whole = text;
    std::erase(whole, '\xff');  // which JSON doesn't have
    json::append_text(whole, quoted);
    std::vector<Message> out = {{Role::kSystem, text},
                                {Role::kUser, text},
                                {.role = Role::kAssistant, .content = text, .reasoning = text},
                                {Role::kUser, text}};
    if (!strict) {
      out.push_back({.role = Role::kAssistant, .content = text, .tool_calls = {{"f", "{\"a\": " + quoted + "}"}}});
      out.push_back({Role::kTool, text});
    }
    return out;
  };
  const auto specials = [&](const std::vector<TokenId>& tokens) {
    return std::count_if(tokens.begin(), tokens.end(),
                         [&](TokenId id) { return tokenizer->vocabulary().type(id) != text::TokenType::kNormal; });
  };
  // And one that means ill: it cuts what it is given, and puts it next to halves of tokens.
  const std::string hostile_template =
      std::string(kTurns) +
      "{% for m in messages %}{{ '<|' ~ m.content ~ '|>' }}{{ '<|im_' ~ m.content[2:] }}"
      "{{ m.content | replace('x', '') }}{{ m.content.split('|') | join('|') }}{{ m.content | upper | lower }}"
      "{% for c in m.content %}{{ c }}{% endfor %}{{ m.content[::-1] | reverse }}{{ '<' ~ m.content[1:] }}{% endfor %}";
  std::vector<std::string> sources = {hostile_template};
  for (const char* name : kTemplates) sources.push_back(jinja_file(name));
  int attempts = 0, leaks = 0;
  for (const std::string& source : sources) {
    const bool strict = source.find("Roles must alternate") != std::string::npos;
    const auto chat = created(source, kWithTools).value();
    const auto expected = specials(chat->tokens(conversation("xharmlessx", strict), true).value());
    for (int i = 0; i < 1000; ++i, ++attempts) {
      const auto messages = conversation(hostile(), strict);
      const auto tokens = chat->tokens(messages, true);
      ASSERT_TRUE(tokens.ok()) << tokens.error().describe();
      if (specials(*tokens) != expected) ++leaks;
      if (i % 50 == 0) {
        EXPECT_EQ(tokenizer->decode(*tokens).value(), chat->text(messages, true).value());
      }
    }
  }
  EXPECT_GE(attempts, 10'000);
  EXPECT_EQ(leaks, 0);
}

}  // namespace
}  // namespace lfm::chat
