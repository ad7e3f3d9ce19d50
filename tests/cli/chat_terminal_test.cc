// lfm chat in a pseudo-terminal, as a person uses it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chat_model.h"

namespace lfm::test {
namespace {

constexpr const char* kCtrlC = "\x03";
constexpr const char* kCtrlD = "\x04";

class ChatTerminal : public testing::Test {
 protected:
  // Waits for the prompt at which something can be typed.
  static testing::AssertionResult at_prompt(PseudoTerminal& terminal) {
    return says(terminal, "\x1b[?2004h") && says(terminal, "> ") ? testing::AssertionSuccess()
                                                                 : testing::AssertionFailure() << terminal.text();
  }

  static testing::AssertionResult says(PseudoTerminal& terminal, std::string_view text) {
    if (terminal.wait_for(text)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "no '" << text << "' in: " << testing::PrintToString(terminal.text());
  }

  // Types a line, and waits until it was dealt with.
  static testing::AssertionResult enter(PseudoTerminal& terminal, const std::string& line) {
    terminal.type(line + "\r");
    return says(terminal, "\x1b[?2004l") && at_prompt(terminal) ? testing::AssertionSuccess()
                                                                : testing::AssertionFailure() << terminal.text();
  }

  static void leave(PseudoTerminal& terminal) {
    terminal.type("/exit\r");
    EXPECT_EQ(terminal.wait_for_end(), 0) << terminal.text();
    EXPECT_TRUE(terminal.cooked());
  }

  ChatModel model_;
};

// What the program printed between two prompts.
std::vector<std::string> outputs(const std::string& text) {
  std::vector<std::string> found;
  std::size_t at = 0;
  while ((at = text.find("\x1b[?2004l", at)) != std::string::npos) {
    const std::size_t begin = at + 8;
    at = std::min(text.find("\x1b[?2004h", begin), text.size());
    found.push_back(text.substr(begin, at - begin));
  }
  return found;
}

TEST_F(ChatTerminal, AnswersAndLeaves) {
  PseudoTerminal terminal(model_.chat({"-n", "20"}), model_.environment());
  ASSERT_TRUE(says(terminal, "tokens of context; /help lists the commands"));
  ASSERT_TRUE(at_prompt(terminal));
  EXPECT_TRUE(terminal.wait_for_raw());
  ASSERT_TRUE(enter(terminal, "Hello"));
  EXPECT_GT(outputs(terminal.text()).back().size(), 10u);
  terminal.type("/stats\r");
  ASSERT_TRUE(says(terminal, "last answer   20 in"));
  ASSERT_TRUE(at_prompt(terminal));
  leave(terminal);
}

TEST_F(ChatTerminal, C18_ManyCtrlCLeave) {
  PseudoTerminal terminal(model_.chat(), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type("Go\r");
  ASSERT_TRUE(says(terminal, "\x1b[?2004l"));
  ASSERT_TRUE(terminal.wait_for_bytes(100));
  EXPECT_TRUE(terminal.wait_for_raw());
  for (int n = 0; n < 50; ++n) {
    ::kill(terminal.process(), SIGINT);
    ::usleep(2000);
  }
  EXPECT_EQ(terminal.wait_for_end(), 130) << terminal.text();
  EXPECT_TRUE(terminal.cooked());
}

TEST_F(ChatTerminal, CtrlCTwiceLeaves) {
  PseudoTerminal terminal(model_.chat(), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type("half a mess");
  ASSERT_TRUE(says(terminal, "mess"));
  terminal.type(kCtrlC);
  ASSERT_TRUE(says(terminal, "Ctrl-C again, or Ctrl-D, leaves"));
  ASSERT_TRUE(at_prompt(terminal));
  ASSERT_TRUE(enter(terminal, "/stats"));
  terminal.type(kCtrlC);
  ASSERT_TRUE(says(terminal, "Ctrl-C again"));
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type(kCtrlC);
  EXPECT_EQ(terminal.wait_for_end(), 130);
  EXPECT_TRUE(terminal.cooked());
}

TEST_F(ChatTerminal, CtrlDLeaves) {
  PseudoTerminal terminal(model_.chat(), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type(kCtrlD);
  EXPECT_EQ(terminal.wait_for_end(), 0);
  EXPECT_TRUE(terminal.cooked());
}

}  // namespace
}  // namespace lfm::test
