// Answers to pieces, however their tokens are cut.
#include "chat/answer_reader.h"

#include <gtest/gtest.h>

#include "tests/chat/chat_sample.h"

namespace lfm::chat {
namespace {

TEST(AnswerReader, Parts) {
  EXPECT_EQ(read("Hello."), (Pieces{"text:Hello."}));
  EXPECT_EQ(read("<think>hm</think>\n\nHello.\n"), (Pieces{"think:hm", "text:Hello.\n"}));
  EXPECT_EQ(read("\n<think>\nhm\n</think>Hello."), (Pieces{"think:\nhm\n", "text:Hello."}));
  EXPECT_EQ(read("  Hello."), (Pieces{"text:  Hello."}));
  EXPECT_EQ(read("<|tool_call_start|>[f()]<|tool_call_end|>"), (Pieces{"call:f{}"}));
  EXPECT_EQ(read("Sure.<|tool_call_start|>[f()]<|tool_call_end|> Done."),
            (Pieces{"text:Sure.", "call:f{}", "text: Done."}));
  EXPECT_EQ(read("<think>a</think>\n<|tool_call_start|>[f()]<|tool_call_end|>\n"), (Pieces{"think:a", "call:f{}"}));
  EXPECT_EQ(read("<think>a<|tool_call_start|>[f()]<|tool_call_end|>b"), (Pieces{"think:a", "call:f{}", "text:b"}));
  EXPECT_EQ(read("<think>a</think>b<think>c</think>d"), (Pieces{"think:a", "text:b", "think:c", "text:d"}));
  EXPECT_EQ(read("a</think>b"), (Pieces{"text:ab"}));
  EXPECT_EQ(read("<|tool_call_start|>[f(]<|tool_call_end|>x"),
            (Pieces{"bad(an argument without a name at byte 2):f(]", "text:x"}));
  EXPECT_EQ(read("<|tool_call_start|>[f(), g("), (Pieces{"call:f{}", "bad(the answer ends within a call):g("}));
  EXPECT_EQ(read("a<|tool_list_start|>b<|pad|>"), (Pieces{"text:ab"}));
  EXPECT_EQ(read(" \n"), Pieces{});
  EXPECT_EQ(read("<think>never ends"), (Pieces{"think:never ends"}));
}

TEST(AnswerReader, WhereTagsAreText) {
  const auto read_text = [](std::string_view answer) { return read(answer, Thinks::kNoToken); };
  EXPECT_EQ(read_text("<think>hm</think>\n\nHello."), (Pieces{"think:hm", "text:Hello."}));
  EXPECT_EQ(read_text(" \n<think>a</thin</think>b"), (Pieces{"think:a</thin", "text:b"}));
  EXPECT_EQ(read_text("x <think>a</think>"), (Pieces{"text:x <think>a</think>"}));
  EXPECT_EQ(read_text("<think>a</think><think>b"), (Pieces{"think:a", "text:<think>b"}));
  EXPECT_EQ(read_text("<thin"), (Pieces{"text:<thin"}));
  EXPECT_EQ(read_text("<thin<|tool_call_start|>[f()]<|tool_call_end|>"), (Pieces{"text:<thin", "call:f{}"}));
  EXPECT_EQ(read_text("<think>a</thi"), (Pieces{"think:a</thi"}));
  EXPECT_EQ(read_text("<|tool_call_start|>[f()]<|tool_call_end|>"), (Pieces{"call:f{}"}));
}

// Every way of spelling a text in tokens of up to three bytes that cuts it at one place more, and byte by byte.
TEST(AnswerReader, HoweverTheTokensAreCut) {
  const std::string answer =
      "<think>Grüße, 你好</think>\n\nOk 🙂 <thing>.<|tool_call_start|>[f(a='Köln', b=[1, 'x)']), "
      "g(é=2)]<|tool_call_end|> Ende";
  for (const Thinks thinks : {Thinks::kToken, Thinks::kNoToken}) {
    const auto tokenizer = chat_tokenizer(thinks);
    const std::vector<TokenId> whole = tokens_of(answer, thinks);
    const Pieces expected = {"think:Grüße, 你好", "text:Ok 🙂 <thing>.",
                             "call:f{\"a\": \"Köln\", \"b\": [1, \"x)\"]}", "call:g{\"é\": 2}", "text: Ende"};
    ASSERT_EQ(read(whole, thinks), expected);
    std::vector<TokenId> bytes;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::vector<TokenId> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(i));
      const bool normal = tokenizer->vocabulary().type(whole[i]) == text::TokenType::kNormal;
      const std::string_view piece = tokenizer->piece(whole[i]);
      const auto spell = [&](std::vector<TokenId>& into) {
        if (!normal) return into.push_back(whole[i]);
        for (const char c : piece) into.push_back(tokenizer->vocabulary().byte_token(static_cast<unsigned char>(c)));
      };
      spell(bytes);
      spell(cut);
      cut.insert(cut.end(), whole.begin() + static_cast<std::ptrdiff_t>(i) + 1, whole.end());
      EXPECT_EQ(read(cut, thinks), expected) << i;
    }
    EXPECT_EQ(read(bytes, thinks), expected);
  }
}

// An answer that is taken up again anywhere goes on as if it had never stopped.
TEST(AnswerReader, GoesOnWhereASessionIs) {
  const auto tokenizer = chat_tokenizer();
  const auto header = tokens_of("<|startoftext|><|im_start|>user\n<think> no<|im_end|>\n<|im_start|>assistant\n");
  const auto answer = tokens_of("<think>so and so</think> Good. <|tool_call_start|>[f(a='b')]<|tool_call_end|> End.");
  for (std::size_t at = 0; at <= answer.size(); ++at) {
    std::vector<TokenId> session = header;
    session.insert(session.end(), answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(at));
    Collector before;
    Collector after;
    AnswerReader first(*tokenizer);
    for (std::size_t i = 0; i < at; ++i) first.push(answer[i], before);
    AnswerReader second(*tokenizer);
    second.resume(session);
    EXPECT_EQ(second.thinking(), first.thinking());
    EXPECT_EQ(second.thinking_tokens(), first.thinking_tokens());
    for (std::size_t i = at; i < answer.size(); ++i) {
      first.push(answer[i], before);
      second.push(answer[i], after);
    }
    first.finish(before);
    second.finish(after);
    EXPECT_TRUE(before.message.content.ends_with(after.message.content));
    EXPECT_EQ(after.pieces.empty() ? before.pieces.back() : after.pieces.back().substr(0, 5),
              after.pieces.empty() ? before.pieces.back() : before.pieces.back().substr(0, 5));
    EXPECT_EQ(before.pieces, (Pieces{"think:so and so", "text:Good. ", "call:f{\"a\": \"b\"}", "text: End."}));
  }
}

TEST(AnswerReader, DoesntGoOnWithWhatIsOver) {
  const auto tokenizer = chat_tokenizer();
  AnswerReader reader(*tokenizer);
  reader.resume(tokens_of("<|im_start|>assistant\n<think>x<|im_end|>\n"));
  EXPECT_FALSE(reader.thinking());
  reader.resume({});
  EXPECT_FALSE(reader.thinking());
  reader.resume(tokens_of("<|im_start|>assistant\n<think>x"));
  EXPECT_TRUE(reader.thinking());
}

TEST(AnswerReader, ManySpacesAreText) {
  Pieces pieces = read(std::string(100'000, ' ') + "x");
  EXPECT_EQ(pieces, (Pieces{"text:" + std::string(100'000, ' ') + "x"}));
  EXPECT_EQ(read("<think></think>" + std::string(100'000, '\n') + "x"), (Pieces{"text:x"}));
}

}  // namespace
}  // namespace lfm::chat
