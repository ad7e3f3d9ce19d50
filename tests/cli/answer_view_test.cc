// Answers on a terminal.
#include "talk/answer_view.h"

#include <gtest/gtest.h>

#include <functional>

namespace lfm::cli {
namespace {

// What is printed on standard output meanwhile.
std::string printed(const std::function<void()>& work) {
  testing::internal::CaptureStdout();
  work();
  return testing::internal::GetCapturedStdout();
}

std::string shown_pieces(const std::vector<Piece>& pieces, const Finish& finish, bool colours = false,
                         bool thinking = true) {
  return printed([&] {
    AnswerView view(Style{colours}, thinking);
    for (const Piece& piece : pieces) EXPECT_TRUE(view.show(piece));
    EXPECT_TRUE(view.finish(finish));
  });
}

const Finish kEnded{.reason = FinishReason::kEnd, .tokens = 3, .text_bytes = 3};

TEST(AnswerView, TextEndsWithALineBreak) {
  EXPECT_EQ(shown_pieces({{"Hel"}, {"lo"}}, kEnded), "Hello\n");
  EXPECT_EQ(shown_pieces({{"Hello\n"}}, kEnded), "Hello\n");
}

TEST(AnswerView, ThinkingStandsApart) {
  const std::vector<Piece> pieces = {{"a", PieceKind::kReasoning}, {"b", PieceKind::kReasoning}, {"42"}};
  EXPECT_EQ(shown_pieces(pieces, kEnded), "ab\n\n42\n");
  EXPECT_EQ(shown_pieces(pieces, kEnded, true), "\x1b[2mab\x1b[0m\n\n42\x1b[0m\n");
  EXPECT_EQ(shown_pieces(pieces, kEnded, false, false), "thinking...\n\n42\n");
}

TEST(AnswerView, CallsStandOnLinesOfTheirOwn) {
  EXPECT_EQ(shown_pieces({{"Let me see."},
                          {.text = "f(a=1)", .kind = PieceKind::kToolCall, .name = "f"},
                          {.text = "g()", .kind = PieceKind::kToolCall, .name = "g"},
                          {.text = "h(", .kind = PieceKind::kMalformedCall, .error = "no )"}},
                         kEnded),
            "Let me see.\n-> f(a=1)\n-> g()\nh(  (no call: no ))\n");
}

TEST(AnswerView, NothingReachesTheTerminalAsAnEscape) {
  const std::string out = shown_pieces({{"\x1b[2J", PieceKind::kReasoning},
                                        {"\x1b]0;x\x07"},
                                        {.text = "f('\u009b')", .kind = PieceKind::kToolCall},
                                        {.text = "\x1b", .kind = PieceKind::kMalformedCall, .error = "\x1b"}},
                                       kEnded);
  EXPECT_EQ(out.find('\x1b'), std::string::npos);
  EXPECT_EQ(out.find('\x07'), std::string::npos);
  EXPECT_EQ(out.find("\u009b"), std::string::npos);
  EXPECT_NE(out.find("␛[2J"), std::string::npos);
}

TEST(AnswerView, CharactersMayComeInParts) {
  EXPECT_EQ(shown_pieces({{"\xe6\x97"}, {"\xa5\x1b"}, {"[m\xe6"}}, kEnded), "日␛[m\uFFFD\n");
}

TEST(AnswerView, UnusualEndsAreSaid) {
  EXPECT_EQ(shown_pieces({{"Hel"}}, {.reason = FinishReason::kCancelled, .text_bytes = 3}), "Hel\n(stopped)\n");
  const Finish empty{.reason = FinishReason::kLength, .tokens = 9};
  EXPECT_EQ(shown_pieces({}, empty), "(" + empty.describe() + "; -n allows more)\n");
}

}  // namespace
}  // namespace lfm::cli
