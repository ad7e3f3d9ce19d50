// The command line with names of models: lfm chat NAME, pull, list, rm.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "chat_model.h"
#include "hub_files.h"
#include "lfm/lfm.h"

namespace lfm::test {
namespace {

namespace fs = std::filesystem;

class HubProgram : public HubTest {
 protected:
  HubProgram() { hub_.set(kFirst, files_); }

  std::vector<Variable> environment() const {
    std::vector<Variable> all = model_.environment();
    for (const auto& [name, value] :
         std::vector<std::pair<const char*, std::string>>{{"HF_HUB_OFFLINE", ""},
                                                          {"HF_ENDPOINT", hub_.endpoint()},
                                                          {"HF_HUB_CACHE", environment_.cache},
                                                          {"HF_TOKEN", "hf_secret"},
                                                          {"XDG_CACHE_HOME", folder_.path("cache")},
                                                          {"no_proxy", "*"}})
      all.push_back({name, value});
    return all;
  }
  Outcome run(const std::vector<std::string>& words) const {
    return run_program({.arguments = words, .input = "Hello", .environment = environment()});
  }

  // Without waiting for its end.
  pid_t start(const std::vector<std::string>& words) const {
    std::vector<std::string> all = {LFM_PROGRAM};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<char*> argv;
    for (std::string& word : all) argv.push_back(word.data());
    argv.push_back(nullptr);
    for (const Variable& variable : environment()) ::setenv(variable.name.c_str(), variable.value.c_str(), 1);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int file : {0, 1, 2}) posix_spawn_file_actions_addopen(&actions, file, "/dev/null", O_RDWR, 0);
    pid_t child = -1;
    EXPECT_EQ(::posix_spawn(&child, LFM_PROGRAM, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return child;
  }
  static int wait_for(pid_t child) {
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
  }

  static constexpr const char* kName = MockHub::kRepository;
  const ChatModel model_;
  const std::vector<HubFile> files_ = {{"tiny-F32.gguf", read_all(model_.path())},
                                       {"other-Q8_0.gguf", random_bytes(100'000, 3)}};
};

TEST_F(HubProgram, ChatsByName) {
  const std::string name = std::string(kName) + ":F32";
  const Outcome by_path = run(model_.chat({"-n", "5"}));
  ASSERT_EQ(by_path.status, 0) << by_path.err;
  const std::vector<std::string> options = {"-t", "1", "--pack-cache", "off", "--temp", "0", "-n", "5"};
  const auto chat = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "chat");
    words.insert(words.end(), options.begin(), options.end());
    return run(words);
  };
  const Outcome first = chat({name});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(first.out, by_path.out);
  EXPECT_TRUE(first.err.starts_with("lfm: downloading Acme/tiny-GGUF, F32: ")) << first.err;
  hub_.forget_requests();
  for (const std::vector<std::string>& words : {std::vector<std::string>{"-m", name},
                                                {"-hf", name},
                                                {"-hf", kName, "-hff", "tiny-F32.gguf"},
                                                {"--hf-repo=" + name},
                                                {"-m", "hf.co/" + name}}) {
    const Outcome again = chat(words);
    EXPECT_EQ(again.out, by_path.out) << testing::PrintToString(words) << again.err;
    EXPECT_EQ(again.err, by_path.err) << testing::PrintToString(words);
  }
  EXPECT_EQ(run({"inspect", name}).status, 0);
  EXPECT_EQ(run({"tokenize", "-hf", name}).status, 0);
  EXPECT_EQ(hub_.requests().size(), 0u);
}

TEST_F(HubProgram, NamesThatMeanNothing) {
  const std::pair<std::vector<std::string>, std::string> all[] = {
      {{"chat", "Acme/other"},
       "lfm: Acme/other: there is no such file, and on the hub: there is no such repository at "},
      {{"chat", "-hf", "Acme/other"}, "lfm: Acme/other: there is no such repository at " + hub_.endpoint()},
      {{"chat", "-hf", "other"}, "lfm: other: expected the name of a repository on the hub"},
      {{"chat", "-hf", kName, "-hff", "../x"}, "lfm: ../x: no name of a file in a repository"},
      {{"pull", std::string(kName) + ":Q2_K"}, "lfm: Acme/tiny-GGUF: there is no Q2_K in it, but Q8_0 ("},
      {{"rm", "Acme/other"}, "lfm: Acme/other: not in "},
      {{"rm", model_.path()}, "lfm: " + model_.path() + ": a file of yours, of which lfm keeps nothing"}};
  for (const auto& [words, says] : all) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.status, 1) << testing::PrintToString(words);
    EXPECT_TRUE(outcome.err.starts_with(says)) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_EQ(run({"chat", "-hff", "x.gguf", "-m", "x"}).status, 2);
  EXPECT_EQ(run({"chat", "-hf", kName, "-m", "x"}).status, 2);
  EXPECT_EQ(run({"pull"}).status, 2);
  EXPECT_EQ(run({"rm"}).status, 2);
}

TEST_F(HubProgram, PullListRemove) {
  EXPECT_NE(run({"list"}).err.find("nothing is kept"), std::string::npos);
  const Outcome pulled = run({"pull", kName, "-hff", "tiny-F32.gguf"});
  ASSERT_EQ(pulled.status, 0) << pulled.err;
  const std::string path = pulled.out.substr(0, pulled.out.size() - 1);
  EXPECT_EQ(path, cache().snapshot(kName, kFirst) + "/tiny-F32.gguf");
  EXPECT_EQ(read_all(path), files_[0].bytes);
  EXPECT_EQ(run({"pull", std::string(kName) + ":Q8_0"}).status, 0);

  // Packed weights of it, and of a file that has gone.
  fs::create_directories(folder_.path("cache/lfm"));
  const std::string gone = folder_.write("gone.gguf", files_[0].bytes);
  for (const std::string& model : {path, gone}) {
    EngineOptions options{.threads = 1, .pack_cache = folder_.path("cache/lfm"), .pack_cache_min_bytes = 0};
    const auto engine = Engine::open(model, options);
    ASSERT_TRUE(engine.ok() && engine->finish_pack_cache().ok());
  }
  fs::remove(gone);
  std::string list = run({"list"}).out;
  std::vector<std::string> rows;
  for (std::size_t at = 0; at < list.size(); at = list.find('\n', at) + 1)
    rows.push_back(list.substr(at + 14, list.find('\n', at) - at - 14));
  ASSERT_EQ(rows.size(), 4u) << list;
  EXPECT_EQ(rows[0], "model       Acme/tiny-GGUF:Q8_0");
  EXPECT_EQ(rows[1], "model       Acme/tiny-GGUF:F32");
  std::sort(rows.begin() + 2, rows.end());
  EXPECT_EQ(rows[2], "packed      " + fs::canonical(folder_.path(".")).string() + "/gone.gguf (gone)");
  EXPECT_EQ(rows[3], "packed      Acme/tiny-GGUF:F32");

  const Outcome removed = run({"rm", std::string(kName) + ":F32"});
  EXPECT_EQ(removed.status, 0) << removed.err;
  EXPECT_TRUE(removed.out.starts_with("Acme/tiny-GGUF:F32: removed, ")) << removed.out;
  list = run({"list"}).out;
  EXPECT_EQ(list.find("F32"), std::string::npos) << list;
  EXPECT_EQ(run({"rm", kName, "--packed"}).status, 0);
  EXPECT_EQ(run({"list"}).out, "");
  EXPECT_EQ(laid_out(), std::vector<std::string>());
  EXPECT_EQ(folder_.files("cache/lfm").size(), 0u);
}

TEST_F(HubProgram, TwoProcessesOneDownload) {
  hub_.set_speed(1000);
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) children.push_back(start({"pull", std::string(kName) + ":Q8_0"}));
  for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(hub_.count("/resolve/"), 2u);  // of the hub, and of its storage
  EXPECT_EQ(read_all(*cache().find(name("Q8_0"), hub::Cache::Age::kCurrent)), files_[1].bytes);
}

// Killed at any time: there is no model, or the right one, and in the end the right one.
TEST_F(HubProgram, KilledFiftyTimes) {
  hub_.set_speed(2000);
  std::mt19937 random(7);
  const hub::Name name = this->name("Q8_0");
  int unfinished = 0;
  for (int i = 0; i < 50; ++i) {
    if (i % 10 == 0) fs::remove_all(environment_.cache);
    const pid_t child = start({"pull", std::string(kName) + ":Q8_0"});
    ::usleep(static_cast<useconds_t>(random() % 120'000));
    ::kill(child, SIGKILL);
    wait_for(child);
    const auto path = cache().find(name, hub::Cache::Age::kAny);
    EXPECT_TRUE(!path || read_all(*path) == files_[1].bytes);
    unfinished += path ? 0 : 1;
  }
  EXPECT_GT(unfinished, 0);
  EXPECT_EQ(wait_for(start({"pull", std::string(kName) + ":Q8_0"})), 0);
  EXPECT_TRUE(read_all(*cache().find(name, hub::Cache::Age::kCurrent)) == files_[1].bytes);
  EXPECT_EQ(cache().list().unfinished.size(), 0u);
}

// Ctrl-C says what the same command does, and it does.
TEST_F(HubProgram, InterruptedAtATerminal) {
  hub_.set_speed(100);
  PseudoTerminal terminal({"pull", std::string(kName) + ":Q8_0"}, environment());
  ASSERT_TRUE(terminal.wait_for(" %, other-Q8_0.gguf, ")) << terminal.text();
  ASSERT_TRUE(terminal.wait_for(" of 97.66 KiB")) << terminal.text();
  terminal.type("\x03");
  EXPECT_EQ(terminal.wait_for_end(), 130);
  EXPECT_NE(terminal.text().find("lfm: interrupted; the same command goes on from there"), std::string::npos);
  hub_.set_speed(0);
  hub_.forget_requests();
  EXPECT_EQ(run({"pull", std::string(kName) + ":Q8_0"}).status, 0);
  EXPECT_NE(hub_.requests().back().range, "");
}

// Hugging Face's own client reads what we wrote, and we what it wrote.
class HubNode : public HubProgram {
 protected:
  std::string node(const std::string& script) const {
    const std::string path = folder_.write("script.js", "const hub = require('@huggingface/hub');\n" + script);
    const std::string command = "HF_HUB_CACHE='" + environment_.cache + "' node '" + path + "' 2>&1";
    std::string out;
    FILE* const pipe = ::popen(command.c_str(), "r");
    char buffer[4096];
    for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
    return ::pclose(pipe) == 0 ? out : "failed: " + out;
  }
  void SetUp() override {
    if (node("").starts_with("failed"))
      GTEST_SKIP() << "needs Node, and @huggingface/hub in a folder that NODE_PATH names";
  }
};

TEST_F(HubNode, ReadsWhatWeWrote) {
  ASSERT_EQ(run({"pull", std::string(kName) + ":F32"}).status, 0);
  ASSERT_EQ(run({"pull", std::string(kName) + ":Q8_0"}).status, 0);
  const std::string all = node(R"(hub.scanCacheDir().then(info => {
    for (const warning of info.warnings) console.log('warning', warning);
    for (const repo of info.repos) {
      console.log(repo.id.type, repo.id.name, repo.filesCount, repo.size);
      for (const revision of repo.revisions)
        console.log(revision.commitOid, revision.refs.join(), revision.files.map(f => require('path').basename(f.path)).sort().join());
    }
  });)");
  EXPECT_EQ(all, "model Acme/tiny-GGUF 2 " + std::to_string(files_[0].bytes.size() + files_[1].bytes.size()) + "\n" +
                     kFirst + " main other-Q8_0.gguf,tiny-F32.gguf\n");
  hub_.forget_requests();
  const std::string script =
      "hub.downloadFileToCacheDir({repo: 'Acme/tiny-GGUF', path: 'other-Q8_0.gguf', revision: '" + kFirst +
      "', hubUrl: '" + hub_.endpoint() + "'}).then(console.log);";
  EXPECT_EQ(node(script), cache().snapshot(kName, kFirst) + "/other-Q8_0.gguf\n");
  EXPECT_EQ(hub_.requests().size(), 0u);
}

TEST_F(HubNode, WritesWhatWeRead) {
  for (const char* revision : {"", "main"}) {
    fs::remove_all(environment_.cache);
    const std::string script =
        revision[0] == '\0'
            ? "hub.downloadFileToCacheDir({repo: 'Acme/tiny-GGUF', path: 'other-Q8_0.gguf', hubUrl: '" +
                  hub_.endpoint() + "'}).then(() => {});"
            : "hub.snapshotDownload({repo: 'Acme/tiny-GGUF', hubUrl: '" + hub_.endpoint() + "'}).then(() => {});";
    const std::string said = node(script);
    EXPECT_FALSE(said.starts_with("failed")) << said;
    hub_.forget_requests();
    const Outcome pulled = run({"pull", std::string(kName) + ":Q8_0"});
    EXPECT_EQ(pulled.status, 0) << pulled.err;
    EXPECT_EQ(hub_.requests().size(), 0u) << said;
    EXPECT_EQ(read_all(pulled.out.substr(0, pulled.out.size() - 1)), files_[1].bytes);
  }
}

}  // namespace
}  // namespace lfm::test
