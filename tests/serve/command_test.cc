// The command itself, as a person starts it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "client.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

// The program with its messages in a file. Is told to end with the object.
class Served {
 public:
  explicit Served(std::vector<std::string> arguments, const char* key = nullptr) : log_(folder_.path("log")) {
    arguments.insert(arguments.begin(), {LFM_PROGRAM, "serve", "-m", LFM_NANO_FILE, "-t", "1"});
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const int log = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(log, STDERR_FILENO);
      ::dup2(log, STDOUT_FILENO);
      if (key != nullptr) ::setenv("LFM_API_KEY", key, 1);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(log);
  }
  ~Served() {
    if (child_ > 0) end();
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  std::string log() const { return read_all(log_); }

  bool says(const std::string& text) const {
    for (int i = 0; i < 3000; ++i) {
      if (log().find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  std::uint16_t port() const {
    const std::string text = log();
    const std::string before = "http://127.0.0.1:";
    return static_cast<std::uint16_t>(std::atoi(text.c_str() + text.find(before) + before.size()));
  }

  void signal(int number) const { ::kill(child_, number); }

  // Exit status, or 128 and the signal.
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(child_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  int end() {
    signal(SIGTERM);
    return wait();
  }

 private:
  TempFolder folder_;
  std::string log_;
  pid_t child_ = -1;
};

TEST(ServeCommand, OtherMachinesNeedAKey) {
  Served open({"--host", "0.0.0.0", "--port", "0"});
  EXPECT_EQ(open.wait(), 1);
  EXPECT_NE(open.log().find("0.0.0.0 can be reached from other machines"), std::string::npos) << open.log();

  Served closed({"--host", "0.0.0.0", "--port", "0"}, "secret");
  EXPECT_TRUE(closed.says("is ready")) << closed.log();
  EXPECT_EQ(closed.end(), 0);
}

TEST(ServeCommand, EndsWhenItIsTold) {
  for (const int number : {SIGTERM, SIGINT}) {
    Served served({"--port", "0"});
    ASSERT_TRUE(served.says("is ready")) << served.log();
    EXPECT_EQ(get(served.port(), "/health").status, 200);
    served.signal(number);
    EXPECT_EQ(served.wait(), 0);
  }
}

TEST(ServeCommand, SaysNothingOfPrompts) {
  Served served({"--port", "0"});
  ASSERT_TRUE(served.says("is ready")) << served.log();
  const std::uint16_t port = served.port();
  EXPECT_EQ(ask(port, "/v1/chat/completions",
                Json{{"messages", {{{"role", "user"}, {"content", "xyzzy"}}}}, {"max_tokens", 5}})
                .status,
            200);
  EXPECT_EQ(post(port, "/v1/chat/completions", "{\"xyzzy").status, 400);
  EXPECT_EQ(served.end(), 0);
  EXPECT_EQ(served.log().find("xyzzy"), std::string::npos);
}

TEST(ServeCommand, ATakenPortIsTold) {
  Served first({"--port", "0"});
  ASSERT_TRUE(first.says("is ready")) << first.log();
  Served second({"--port", std::to_string(first.port())});
  EXPECT_EQ(second.wait(), 1);
  EXPECT_NE(second.log().find("in use"), std::string::npos) << second.log();
}

TEST(ServeCommand, TakesLlamaServersOptions) {
  const TempFolder folder;
  Served served({"--port", "0", "-np", "3", "--alias", "mine", "--metrics", "--slots", "-c", "1000", "-to", "60",
                 "--threads-http", "1", "--api-key-file", folder.write("keys", "first\n")});
  ASSERT_TRUE(served.says("is ready")) << served.log();
  const Json props = get(served.port(), "/props", "Authorization: Bearer first\r\n").json();
  EXPECT_EQ(props["total_slots"], 3);
  EXPECT_EQ(props["default_generation_settings"]["n_ctx"], 1000);
  EXPECT_EQ(props["model_alias"], "mine");
}

TEST(ServeCommand, TakesADraftNetwork) {
  Served served({"--port", "0", "-md", LFM_NANO_DRAFT, "--metrics"});
  ASSERT_TRUE(served.says("is ready")) << served.log();
  EXPECT_EQ(ask(served.port(), "/v1/chat/completions",
                Json{{"messages", {{{"role", "user"}, {"content", "Tell me a story."}}}}, {"max_tokens", 30}})
                .status,
            200);
  EXPECT_EQ(served.end(), 0);
  Served without({"--port", "0", "--draft", "model"});
  EXPECT_EQ(without.wait(), 2);
  EXPECT_NE(without.log().find("--draft model needs a draft network"), std::string::npos) << without.log();
}

TEST(ServeCommand, KeepsConversationsFromOneStartToTheNext) {
  const TempFolder folder;
  const Json body = {{"messages", {{{"role", "user"}, {"content", "Tell me a story of a horse and a squirrel."}}}},
                     {"max_tokens", 20},
                     {"temperature", 0}};
  std::vector<Json> answers;
  for (int start = 0; start < 2; ++start) {
    Served served({"--port", "0", "--save-on-exit", folder.path("kept"), "--cache-ram", "64"});
    ASSERT_TRUE(served.says("is ready")) << served.log();
    answers.push_back(ask(served.port(), "/v1/chat/completions", body).json());
    EXPECT_EQ(served.end(), 0);
  }
  EXPECT_EQ(answers[0]["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
  EXPECT_GT(answers[1]["usage"]["prompt_tokens_details"]["cached_tokens"], 5);
  EXPECT_EQ(answers[0]["choices"], answers[1]["choices"]);

  // One that can't use them doesn't take them away.
  const auto files = folder.files("kept");
  EXPECT_FALSE(files.empty());
  Served other({"--port", "0", "--save-on-exit", folder.path("kept"), "-ctk", "q8_0"});
  ASSERT_TRUE(other.says("kept stays as it is")) << other.log();
  ASSERT_TRUE(other.says("is ready")) << other.log();
  ask(other.port(), "/v1/chat/completions", body);
  EXPECT_EQ(other.end(), 0);
  EXPECT_EQ(folder.files("kept"), files);
}

}  // namespace
}  // namespace lfm::test
