// Tokens of an answer on their way to the application.
#include "engine/generate/output.h"

#include <gtest/gtest.h>

#include "tests/chat/chat_sample.h"

namespace lfm::engine {
namespace {

struct Heard {
  std::string all;
  std::string last;  // label
  Finish finish;
  bool stopped = false;
};

Heard hear(std::string_view answer, std::vector<std::string> stop, int at_most = 1000) {
  Heard heard;
  const auto tokenizer = chat::chat_tokenizer();
  const std::function<bool(const Piece&)> callback = [&](const Piece& piece) {
    const std::string label = std::string("[") + to_string(piece.kind) + "]";
    if (label != heard.last) heard.all += label;
    heard.last = label;
    heard.all += piece.text;
    return --at_most > 0;
  };
  Output out(*tokenizer, StopMatcher::create(std::move(stop)).value(), callback, heard.finish);
  out.read_answer({});
  for (const TokenId token : chat::tokens_of(answer)) {
    out.push(token, Logprobs());
    if (out.stopped() || !out.wanted()) break;
  }
  heard.stopped = out.stopped();
  out.flush();
  return heard;
}

TEST(Output, StopStringsAreOfTheTextAlone) {
  const Heard heard = hear("<think>END</think>ab<|tool_call_start|>[f(a='END')]<|tool_call_end|>", {"END"});
  EXPECT_FALSE(heard.stopped);
  EXPECT_EQ(heard.all, "[reasoning]END[text]ab[tool call]f(a='END')");
  EXPECT_EQ(heard.finish.text_bytes, 2u);
  EXPECT_EQ(heard.finish.tool_calls, 1u);
  const Heard stopped = hear("abENDcd", {"END"});
  EXPECT_TRUE(stopped.stopped);
  EXPECT_EQ(stopped.all, "[text]ab");
}

// What may become a stop string is held back, but no longer than until a call comes.
TEST(Output, OrderIsKept) {
  EXPECT_EQ(hear("aEN<|tool_call_start|>[f()]<|tool_call_end|>D", {"END"}).all, "[text]aEN[tool call]f()[text]D");
}

TEST(Output, CountsWhatIsMalformed) {
  const Heard heard = hear("<|tool_call_start|>[f(]<|tool_call_end|><|tool_call_start|>[g(", {});
  EXPECT_EQ(heard.finish.malformed_calls, 2u);
  EXPECT_EQ(heard.all, "[malformed call]f(]g(");
  EXPECT_FALSE(heard.finish.empty());
}

TEST(Output, NobodyIsCalledWhoHasHadEnough) {
  EXPECT_EQ(hear("<|tool_call_start|>[f(), g(), h()]<|tool_call_end|>", {}, 2).all, "[tool call]f()g()");
}

}  // namespace
}  // namespace lfm::engine
