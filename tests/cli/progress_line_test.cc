// The line at a terminal that says how far something is.
#include "progress_line.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

namespace lfm::cli {
namespace {

using std::chrono::milliseconds;

std::string shown_line(double part) {
  return "\r\033[K" + bar(part, 20) + " " + std::to_string(static_cast<int>(part * 100)) + " %, ";
}

TEST(ProgressLine, BarsAreOfCells) {
  EXPECT_EQ(bar(0, 4), "░░░░");
  EXPECT_EQ(bar(0.5, 4), "██░░");
  EXPECT_EQ(bar(1, 4), "████");
}

// A terminal in the place of standard error.
class ProgressLineTest : public testing::Test {
 protected:
  ProgressLineTest() {
    int slave = -1;
    EXPECT_EQ(::openpty(&terminal_, &slave, nullptr, nullptr, nullptr), 0);
    ::dup2(slave, STDERR_FILENO);
    ::close(slave);
  }
  ~ProgressLineTest() override {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
    ::close(terminal_);
  }

  // What is on it that wasn't read yet; a mark at the end saves the waiting.
  std::string shown() {
    constexpr char kMark = '#';
    EXPECT_EQ(::write(STDERR_FILENO, &kMark, 1), 1);
    std::string text;
    std::array<char, 256> some;
    while (text.empty() || text.back() != kMark) {
      const ssize_t n = ::read(terminal_, some.data(), some.size());
      if (n <= 0) break;
      text.append(some.data(), static_cast<std::size_t>(n));
    }
    if (!text.empty()) text.pop_back();
    return text;
  }

  const int before_ = ::dup(STDERR_FILENO);
  int terminal_ = -1;
};

TEST_F(ProgressLineTest, WrittenOverAndTakenAway) {
  {
    ProgressLine line;
    line.show(0, "packing");
    EXPECT_EQ(shown(), shown_line(0) + "packing");
    line.show(0.001, "packing");
    EXPECT_EQ(shown(), "") << "the same again";
    line.show(0.5, "packing");
    EXPECT_EQ(shown(), shown_line(0.5) + "packing");
    line.show(0.25, "checking");
    EXPECT_EQ(shown(), shown_line(0.25) + "checking");
  }
  EXPECT_EQ(shown(), "\r\033[K");
}

TEST_F(ProgressLineTest, NothingOfWhatIsSoonDone) {
  {
    ProgressLine line(milliseconds(3600'000));
    line.show(0, "packing");
    line.show(1, "packing");
  }
  EXPECT_EQ(shown(), "");
  ProgressLine line(milliseconds(20));
  line.show(0, "packing");
  std::this_thread::sleep_for(milliseconds(30));
  line.show(0.5, "packing");
  EXPECT_EQ(shown(), shown_line(0.5) + "packing");
}

TEST_F(ProgressLineTest, TellsTheTimeThatIsLeftOfThisWork) {
  ProgressLine line;
  line.show(0.5, "reading");
  std::this_thread::sleep_for(milliseconds(2100));
  line.show(0.75, "reading");
  EXPECT_EQ(shown(), shown_line(0.5) + "reading" + shown_line(0.75) + "reading, 2 s left");
  line.show(0.1, "checking");
  EXPECT_EQ(shown(), shown_line(0.1) + "checking") << "nothing is known yet";
}

TEST(ProgressLine, ElsewhereThereIsNone) {
  std::array<int, 2> pipe;
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(pipe[1], STDERR_FILENO);
  ::close(pipe[1]);
  {
    ProgressLine line;
    line.show(0.5, "packing");
  }
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  char byte;
  EXPECT_EQ(::read(pipe[0], &byte, 1), 0) << "the end, and nothing before it";
  ::close(pipe[0]);
}

}  // namespace
}  // namespace lfm::cli
