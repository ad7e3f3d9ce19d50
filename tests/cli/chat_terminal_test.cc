// lfm chat in a pseudo-terminal, as a person uses it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "chat_model.h"

namespace lfm::test {
namespace {

constexpr const char* kUp = "\x1b[A";
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

  // Asks, and waits until so much of the answer is there.
  static testing::AssertionResult answering(PseudoTerminal& terminal, const std::string& question,
                                            std::size_t bytes = 100) {
    terminal.type(question + "\r");
    return says(terminal, "\x1b[?2004l") && terminal.wait_for_bytes(bytes)
               ? testing::AssertionSuccess()
               : testing::AssertionFailure() << terminal.text();
  }

  // Ctrl-Z, and what a shell does when somebody wants to go on.
  static void stop_and_continue(PseudoTerminal& terminal) {
    terminal.type("\x1a");
    int status = 0;
    ASSERT_EQ(::waitpid(terminal.process(), &status, WUNTRACED), terminal.process());
    ASSERT_TRUE(WIFSTOPPED(status));
    EXPECT_TRUE(terminal.cooked());
    ::kill(terminal.process(), SIGCONT);
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
  EXPECT_FALSE(terminal.cooked());
  ASSERT_TRUE(enter(terminal, "Hello"));
  EXPECT_GT(outputs(terminal.text()).back().size(), 10u);
  terminal.type("/stats\r");
  ASSERT_TRUE(says(terminal, "last answer   20 in"));
  ASSERT_TRUE(at_prompt(terminal));
  leave(terminal);
}

TEST_F(ChatTerminal, CtrlCStopsTheAnswerOnly) {
  PseudoTerminal terminal(model_.chat(), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(answering(terminal, "Tell me a long story"));
    terminal.type(kCtrlC);
    ASSERT_TRUE(says(terminal, "(stopped)"));
    ASSERT_TRUE(at_prompt(terminal));
  }
  terminal.type("/show\r");
  ASSERT_TRUE(says(terminal, "3: Tell me a long story"));
  ASSERT_TRUE(at_prompt(terminal));
  leave(terminal);
}

TEST_F(ChatTerminal, C18_ManyCtrlCLeave) {
  PseudoTerminal terminal(model_.chat(), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  ASSERT_TRUE(answering(terminal, "Go"));
  EXPECT_FALSE(terminal.cooked());
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

TEST_F(ChatTerminal, UndoEditAndRegenerate) {
  PseudoTerminal terminal(model_.chat({"-n", "8", "--temp", "1", "--seed", "5"}), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  ASSERT_TRUE(enter(terminal, "first"));
  const std::string answer = outputs(terminal.text()).back();
  ASSERT_TRUE(enter(terminal, "/regen"));
  EXPECT_NE(outputs(terminal.text()).back(), answer) << "another answer";
  ASSERT_TRUE(enter(terminal, "second"));
  terminal.type("/undo\r");
  ASSERT_TRUE(says(terminal, "1 question left"));
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type("/edit\r");
  ASSERT_TRUE(says(terminal, "first")) << "the line begins with the old text";
  terminal.type("\x17third\r");  // Ctrl-W deletes a word
  ASSERT_TRUE(says(terminal, "\x1b[?2004l"));
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type("/show\r");
  ASSERT_TRUE(says(terminal, "1: third"));
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type("/undo 2\r");
  ASSERT_TRUE(says(terminal, "you asked 1 time so far, not 2"));
  ASSERT_TRUE(at_prompt(terminal));
  leave(terminal);
}

TEST_F(ChatTerminal, SavesAndLoads) {
  const std::string saved = model_.folder().path("talk.json");
  {
    PseudoTerminal terminal(model_.chat({"-n", "8", "--system", "Be brief."}), model_.environment());
    ASSERT_TRUE(at_prompt(terminal));
    ASSERT_TRUE(enter(terminal, "Keep this"));
    terminal.type("/save " + saved + "\r");
    ASSERT_TRUE(says(terminal, "saved to"));
    ASSERT_TRUE(at_prompt(terminal));
    terminal.type("/save " + model_.path() + "\r");
    ASSERT_TRUE(says(terminal, "is no saved conversation"));
    ASSERT_TRUE(at_prompt(terminal));
    leave(terminal);
  }
  PseudoTerminal terminal(model_.chat({"-n", "8"}), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type("/load " + saved + "\r");
  ASSERT_TRUE(says(terminal, "1 question loaded"));
  ASSERT_TRUE(at_prompt(terminal));
  EXPECT_EQ(terminal.text().find("read again"), std::string::npos) << terminal.text();
  terminal.type("/show\r");
  ASSERT_TRUE(says(terminal, "system: Be brief."));
  ASSERT_TRUE(says(terminal, "1: Keep this"));
  ASSERT_TRUE(at_prompt(terminal));
  ASSERT_TRUE(enter(terminal, "And now?"));
  terminal.type("/stats\r");
  ASSERT_TRUE(says(terminal, "last prompt"));
  ASSERT_TRUE(says(terminal, " reused, "));
  ASSERT_TRUE(at_prompt(terminal));
  EXPECT_EQ(terminal.text().find(": 0 reused"), std::string::npos) << "the state came from the file";
  leave(terminal);
}

TEST_F(ChatTerminal, MessagesOfSeveralLines) {
  PseudoTerminal terminal(model_.chat({"-n", "1"}), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type("one\\\r");
  ASSERT_TRUE(says(terminal, ". "));
  ASSERT_TRUE(enter(terminal, "two"));
  terminal.type("\"\"\"\r");
  ASSERT_TRUE(says(terminal, ". "));
  terminal.type("/three\r");
  ASSERT_TRUE(says(terminal, ". "));
  ASSERT_TRUE(enter(terminal, "four\"\"\""));
  ASSERT_TRUE(enter(terminal, "five\x1b\rsix"));
  ASSERT_TRUE(enter(terminal, "\x1b[200~seven\reight\tand\x1b\x01 nine\x1b[201~"));
  terminal.type("/show\r");
  ASSERT_TRUE(says(terminal, "1: one\r\ntwo\r\n"));
  ASSERT_TRUE(says(terminal, "2: /three\r\nfour\r\n"));
  ASSERT_TRUE(says(terminal, "3: five\r\nsix\r\n"));
  ASSERT_TRUE(says(terminal, "4: seven\r\neight\tand nine\r\n"));
  ASSERT_TRUE(at_prompt(terminal));
  leave(terminal);
}

TEST_F(ChatTerminal, HistoryOutlivesTheProgram) {
  for (int run = 0; run < 2; ++run) {
    PseudoTerminal terminal(model_.chat({"-n", "1"}), model_.environment());
    ASSERT_TRUE(at_prompt(terminal));
    if (run == 0) {
      ASSERT_TRUE(enter(terminal, "a question to remember"));
    } else {
      terminal.type(std::string(kUp) + kUp);  // the last was /exit
      ASSERT_TRUE(says(terminal, "a question to remember"));
      terminal.type("\r");
      ASSERT_TRUE(at_prompt(terminal));
    }
    leave(terminal);
  }
  EXPECT_EQ(read_all(model_.folder().path("home/.local/state/lfm/chat_history")),
            "\"a question to remember\"\n\"/exit\"\n\"a question to remember\"\n\"/exit\"\n");
}

TEST_F(ChatTerminal, C20_HistoryThatCannotBeKeptIsANote) {
  PseudoTerminal terminal(model_.chat({"-n", "1", "--history", model_.folder().path(".")}), model_.environment());
  ASSERT_TRUE(says(terminal, "note: what you type isn't kept: "));
  ASSERT_TRUE(at_prompt(terminal));
  ASSERT_TRUE(enter(terminal, "Hello"));
  leave(terminal);
}

TEST_F(ChatTerminal, C12_NothingThatTheModelSaysIsAnEscape) {
  constexpr std::string_view kWipe = "\r\x1b[K";
  // Bytes by lot: all control characters come.
  PseudoTerminal terminal(model_.chat(ChatModel::any_bytes({})), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  std::string all;
  for (int n = 0; n < 8; ++n) {
    ASSERT_TRUE(enter(terminal, "Hello"));
    all += outputs(terminal.text()).back();
  }
  // Where reading takes long, a line says so and is wiped.
  for (std::size_t at; (at = all.find(kWipe)) != std::string::npos;) all.erase(at, kWipe.size());
  EXPECT_NE(all.find("␛"), std::string::npos);
  EXPECT_NE(all.find("␇"), std::string::npos);
  for (const char c : all) {
    const auto byte = static_cast<unsigned char>(c);
    ASSERT_TRUE(byte >= 0x20 || byte == '\n' || byte == '\r' || byte == '\t') << int{byte};
    ASSERT_NE(byte, 0x7F);
  }
  leave(terminal);
}

TEST_F(ChatTerminal, ColoursOnlyWhereTheyAreWanted) {
  PseudoTerminal plain(model_.chat({"-n", "4"}), model_.environment());
  ASSERT_TRUE(at_prompt(plain));
  ASSERT_TRUE(enter(plain, "/help"));
  EXPECT_EQ(plain.text().find("\x1b[2m"), std::string::npos);
  std::vector<Variable> environment = model_.environment();
  environment.push_back({"NO_COLOR", ""});
  PseudoTerminal coloured(model_.chat({"-n", "4"}), environment);
  ASSERT_TRUE(says(coloured, "\x1b[2m"));
  environment.push_back({"TERM", "dumb"});
  PseudoTerminal dumb(model_.chat({"-n", "4"}), environment);
  ASSERT_TRUE(says(dumb, "> "));
  EXPECT_EQ(dumb.text().find('\x1b'), std::string::npos) << testing::PrintToString(dumb.text());
}

TEST_F(ChatTerminal, MarkdownIsMadeReadable) {
  std::vector<Variable> environment = model_.environment();
  environment.push_back({"NO_COLOR", ""});
  const std::vector<std::string> says_this = {"--regex", "# Two words\n\n- \\*\\*one\\*\\* and `two`"};
  PseudoTerminal terminal(model_.chat(says_this), environment);
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type("Go\r");
  ASSERT_TRUE(says(terminal, "\x1b[1mTwo words\x1b[0m\r\n"));
  ASSERT_TRUE(says(terminal, "• \x1b[1mone\x1b[0m and \x1b[36mtwo\x1b[0m"));
  std::vector<std::string> plainly = says_this;
  plainly.push_back("--plain");
  PseudoTerminal plain(model_.chat(plainly), environment);
  ASSERT_TRUE(at_prompt(plain));
  plain.type("Go\r");
  ASSERT_TRUE(says(plain, "# Two words\r\n\r\n- **one** and `two`"));
  std::vector<std::string> once = says_this;
  once.insert(once.end(), {"-p", "Go"});
  EXPECT_EQ(run_program({.arguments = model_.chat(once), .environment = environment}).out,
            "# Two words\n\n- **one** and `two`\n");
  PseudoTerminal one_question(model_.chat(once), environment);
  EXPECT_TRUE(says(one_question, "• \x1b[1mone\x1b[0m and \x1b[36mtwo\x1b[0m"));
}

TEST_F(ChatTerminal, LinesEndBetweenWords) {
  PseudoTerminal terminal(model_.chat({"--regex", "(word ){30}end"}), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  terminal.resize(40);
  terminal.type("Go\r");
  ASSERT_TRUE(says(terminal, "\r\nword word word word word word word word\r\nword"));
}

TEST_F(ChatTerminal, TabCompletesCommands) {
  PseudoTerminal terminal(model_.chat({"-n", "1"}), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type("/he\t\r");
  ASSERT_TRUE(says(terminal, "/regen"));
  ASSERT_TRUE(says(terminal, "leave; so do Ctrl-D"));
  ASSERT_TRUE(at_prompt(terminal));
  leave(terminal);
}

TEST_F(ChatTerminal, WhatIsTypedDuringAnAnswerWaits) {
  PseudoTerminal terminal(model_.chat({"-n", "300"}), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  ASSERT_TRUE(answering(terminal, "Go", 1));
  terminal.type("/undo\r");
  ASSERT_TRUE(says(terminal, "0 questions left"));
  EXPECT_EQ(outputs(terminal.text()).front().find("/undo"), std::string::npos) << "echoed into the answer";
  ASSERT_TRUE(at_prompt(terminal));
  leave(terminal);
}

TEST_F(ChatTerminal, C19_SignalsLeaveTheTerminalInOrder) {
  for (const int number : {SIGTERM, SIGHUP, SIGQUIT}) {
    PseudoTerminal terminal(model_.chat(), model_.environment());
    ASSERT_TRUE(at_prompt(terminal));
    EXPECT_FALSE(terminal.cooked());
    ::kill(terminal.process(), number);
    EXPECT_EQ(terminal.wait_for_end(), 128 + number);
    EXPECT_TRUE(terminal.cooked()) << number;
    EXPECT_TRUE(terminal.text().ends_with("\x1b[?2004l")) << number;
  }
}

TEST_F(ChatTerminal, C19_StopsAndGoesOn) {
  PseudoTerminal terminal(model_.chat({"-n", "4"}), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type("half ");
  ASSERT_TRUE(says(terminal, "half "));
  ASSERT_NO_FATAL_FAILURE(stop_and_continue(terminal));
  ASSERT_TRUE(says(terminal, "\r\x1b[J")) << "the line goes before the program stops";
  ASSERT_TRUE(says(terminal, "half ")) << "the line is shown again";
  const std::size_t shown = terminal.text().size();
  ::usleep(100'000);
  terminal.wait_for_bytes(0);
  EXPECT_EQ(terminal.text().find("half ", shown), std::string::npos) << "once";
  terminal.resize(40);
  ASSERT_TRUE(enter(terminal, "done"));
  terminal.type("/show\r");
  ASSERT_TRUE(says(terminal, "1: half done"));
  ASSERT_TRUE(at_prompt(terminal));
  leave(terminal);
}

TEST_F(ChatTerminal, C19_StopsDuringAnAnswer) {
  PseudoTerminal terminal(model_.chat(), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  ASSERT_TRUE(answering(terminal, "Go"));
  ASSERT_NO_FATAL_FAILURE(stop_and_continue(terminal));
  ASSERT_TRUE(terminal.wait_for_bytes(terminal.text().size() + 16384));  // more than was on its way
  EXPECT_FALSE(terminal.cooked());
  terminal.type(kCtrlC);
  ASSERT_TRUE(says(terminal, "(stopped)"));
  ASSERT_TRUE(at_prompt(terminal));
  leave(terminal);
}

TEST_F(ChatTerminal, AConversationThatDoesNotFitIsSaid) {
  PseudoTerminal terminal(model_.chat({"-c", "100", "-n", "8"}), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type(std::string(300, 'x') + "\r");
  ASSERT_TRUE(says(terminal, "tokens in a context of 100"));
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type("/show\r");
  ASSERT_TRUE(says(terminal, "nothing was said yet"));
  ASSERT_TRUE(at_prompt(terminal));
  ASSERT_TRUE(enter(terminal, "Hi"));
  leave(terminal);
}

TEST_F(ChatTerminal, AnEditThatDoesNotFitLosesNothing) {
  PseudoTerminal terminal(model_.chat({"-c", "200", "-n", "8"}), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  ASSERT_TRUE(enter(terminal, "first"));
  ASSERT_TRUE(enter(terminal, "second"));
  terminal.type("/edit 1\r");
  ASSERT_TRUE(says(terminal, "first"));
  terminal.type(std::string(300, 'x') + "\r");
  ASSERT_TRUE(says(terminal, "tokens in a context of 200; /clear forgets the conversation"));
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type("/show\r");
  ASSERT_TRUE(says(terminal, "1: first\r\n"));
  ASSERT_TRUE(says(terminal, "assistant: "));
  ASSERT_TRUE(says(terminal, "2: second\r\n"));
  ASSERT_TRUE(says(terminal, "assistant: "));
  ASSERT_TRUE(at_prompt(terminal));
  leave(terminal);
}

TEST_F(ChatTerminal, APasteIsAMessageAsItIs) {
  PseudoTerminal terminal(model_.chat({"-n", "1"}), model_.environment());
  ASSERT_TRUE(at_prompt(terminal));
  const std::vector<std::string> texts = {"\"\"\"Adds.\"\"\"\rreturn a", "ls \\\r | wc \\", "/* sums */", "/undo"};
  for (const std::string& text : texts) ASSERT_TRUE(enter(terminal, "\x1b[200~" + text + "\x1b[201~"));
  terminal.type("/show\r");
  ASSERT_TRUE(says(terminal, "1: \"\"\"Adds.\"\"\"\r\nreturn a\r\n"));
  ASSERT_TRUE(says(terminal, "2: ls \\\r\n | wc \\\r\n"));
  ASSERT_TRUE(says(terminal, "3: /* sums */\r\n"));
  ASSERT_TRUE(says(terminal, "4: /undo\r\n"));
  ASSERT_TRUE(at_prompt(terminal));
  terminal.type(std::string(kUp) + kUp);
  ASSERT_TRUE(says(terminal, "\"\"\"/undo\"\"\"")) << "in the history it is what would have to be typed";
  ASSERT_TRUE(enter(terminal, ""));
  terminal.type("/show\r");
  ASSERT_TRUE(says(terminal, "5: /undo\r\n"));
  ASSERT_TRUE(at_prompt(terminal));
  leave(terminal);
}

}  // namespace
}  // namespace lfm::test
