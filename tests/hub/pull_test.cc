// Models from a hub that is well and one that isn't: what comes is the file that it lists, or an error.
#include "hub/pull.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "hub_files.h"

namespace lfm::test {
namespace {

namespace fs = std::filesystem;
using Range = HubFault::Range;

bool is_file(const HubRequest& request) {
  return request.storage;
}

class HubPull : public HubTest {
 protected:
  // As it is listed, at its place in the snapshot.
  void expect_good(const Result<hub::Pulled>& pulled, const HubFile& file, const std::string& commit = kFirst) {
    ASSERT_TRUE(pulled.ok()) << pulled.error().describe();
    EXPECT_EQ(pulled->path, cache().snapshot(MockHub::kRepository, commit) + "/" + file.path);
    EXPECT_TRUE(read_all(pulled->path) == file.bytes);
    EXPECT_EQ(fs::canonical(pulled->path), fs::canonical(cache().blob(MockHub::kRepository, MockHub::digest(file))));
  }
  std::string part() const { return cache().blob(MockHub::kRepository, MockHub::digest(files_[0])) + ".incomplete"; }
  void leave(const std::string& bytes) {
    fs::create_directories(fs::path(part()).parent_path());
    std::ofstream(part(), std::ios::binary) << bytes;
  }
};

TEST_F(HubPull, IsLaidOutAsHuggingFaceHasIt) {
  expect_good(pull(name()), files_[0]);
  expect_good(pull(name("Q8_0")), files_[1]);
  const std::string front = "models--Acme--tiny-GGUF/";
  const std::string one = MockHub::digest(files_[0]), two = MockHub::digest(files_[1]);
  std::vector<std::string> expected = {front + "blobs/" + one, front + "blobs/" + two, front + "refs/main",
                                       front + "snapshots/" + kFirst + "/more/tiny-Q8_0.gguf -> ../../../blobs/" + two,
                                       front + "snapshots/" + kFirst + "/tiny-Q4_0.gguf -> ../../blobs/" + one};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(laid_out(), expected);
  EXPECT_EQ(read_all(cache().repository(MockHub::kRepository) + "/refs/main"), kFirst);
}

TEST_F(HubPull, WhatIsHereIsntAskedFor) {
  expect_good(pull(name()), files_[0]);
  EXPECT_EQ(begun_, 1);
  hub_.forget_requests();
  expect_good(pull(name()), files_[0]);
  expect_good(pull(name("")), files_[0]);
  EXPECT_EQ(hub_.requests().size(), 0u);
  expect_good(pull(name(), true), files_[0]);  // which asks, and has nothing to download
  EXPECT_EQ(hub_.requests().size(), 2u);
  EXPECT_EQ(begun_, 1);
}

TEST_F(HubPull, TheTokenStaysWithTheHub) {
  environment_.token = "hf_secret";
  expect_good(pull(name()), files_[0]);
  ASSERT_EQ(hub_.requests().size(), 4u);
  for (const HubRequest& request : hub_.requests()) EXPECT_EQ(request.token, request.storage ? "" : "hf_secret");
}

TEST_F(HubPull, RedirectsThatArentSafe) {
  const std::pair<std::string, const char*> all[] = {
      {"http://example.org/x", "leads to an address that isn't safe"},
      {"file:///etc/passwd", "leads to an address that isn't safe"},
      {"https://user:word@example.org/", "leads to an address that isn't safe"},
      {hub_.endpoint() + "/Acme/tiny-GGUF/resolve/" + kFirst + "/tiny-Q4_0.gguf", "redirects without end"}};
  for (const auto& [to, says] : all) {
    hub_.set_faults([&](const HubRequest&) { return HubFault{.redirect = to}; });
    EXPECT_NE(error(name()).find(says), std::string::npos) << error(name());
  }
  EXPECT_FALSE(fs::exists(cache().repository(MockHub::kRepository) + "/refs"));
}

TEST_F(HubPull, ConnectionsThatBreakOff) {
  hub_.set_faults(
      [](const HubRequest& request) { return HubFault{.cut_after = is_file(request) ? 40'000u : ~std::uint64_t{0}}; });
  expect_good(pull(name()), files_[0]);
  std::vector<std::string> ranges;
  for (const HubRequest& request : hub_.requests()) {
    if (request.storage) ranges.push_back(request.range);
  }
  EXPECT_EQ(ranges, (std::vector<std::string>{"", "bytes=40000-", "bytes=80000-", "bytes=120000-", "bytes=160000-",
                                              "bytes=200000-", "bytes=240000-", "bytes=280000-"}));
}

TEST_F(HubPull, ConnectionsThatBringNothing) {
  hub_.set_faults([](const HubRequest& request) { return HubFault{.cut_after = is_file(request) ? 0u : 1u << 30}; });
  EXPECT_NE(error(name()).find("the connection broke off"), std::string::npos) << error(name());
  // A hub that has no ranges either can't bring it.
  hub_.set_faults([](const HubRequest& request) {
    return HubFault{.cut_after = is_file(request) ? 100'000u : ~std::uint64_t{0}, .range = Range::kIgnored};
  });
  EXPECT_NE(error(name()).find("the connection broke off"), std::string::npos);
  hub_.set_faults(nullptr);
  expect_good(pull(name()), files_[0]);
}

TEST_F(HubPull, GoesOnWithWhatIsThere) {
  leave(files_[0].bytes.substr(0, 123'456));
  expect_good(pull(name()), files_[0]);
  EXPECT_EQ(hub_.requests().back().range, "bytes=123456-");
  EXPECT_FALSE(fs::exists(part()));
}

TEST_F(HubPull, AWholePartIsNoRequest) {
  leave(files_[0].bytes);
  expect_good(pull(name()), files_[0]);
  EXPECT_EQ(hub_.count("/resolve/"), 0u);
}

TEST_F(HubPull, APartOfSomethingElseIsWrittenAnew) {
  for (const std::string& left : {random_bytes(1000, 5), random_bytes(300'000, 5), random_bytes(400'000, 5)}) {
    fs::remove_all(environment_.cache);
    leave(left);
    expect_good(pull(name()), files_[0]);
  }
}

TEST_F(HubPull, AHubThatLiesAboutRanges) {
  for (const Range range : {Range::kIgnored, Range::kOther, Range::kLie, Range::kNone}) {
    fs::remove_all(environment_.cache);
    leave(files_[0].bytes.substr(0, 100'000));
    hub_.set_faults([&](const HubRequest&) { return HubFault{.range = range}; });
    expect_good(pull(name()), files_[0]);
  }
}

TEST_F(HubPull, AHubThatLiesAboutContents) {
  hub_.set_faults([](const HubRequest&) { return HubFault{.wrong_byte = true}; });
  const std::string wrong = error(name());
  EXPECT_NE(wrong.find("has the digest "), std::string::npos) << wrong;
  EXPECT_NE(wrong.find("and not " + MockHub::digest(files_[0])), std::string::npos) << wrong;
  EXPECT_EQ(laid_out(), std::vector<std::string>());
  hub_.set_faults([](const HubRequest&) { return HubFault{.longer = 10}; });
  EXPECT_NE(error(name()).find("it has 300010 bytes, and not 300000"), std::string::npos) << error(name());
  hub_.set_faults([](const HubRequest&) { return HubFault{.longer = -10}; });
  EXPECT_NE(error(name()).find("it has 299990 bytes, and not 300000"), std::string::npos) << error(name());
  // Git's digest is held to as well.
  hub_.set_faults([](const HubRequest&) { return HubFault{.wrong_byte = true}; });
  hub_.set(kFirst, {{"x.gguf", "small", false}});
  EXPECT_NE(error(name("")).find("has the digest "), std::string::npos);
  hub_.set_faults(nullptr);
  EXPECT_TRUE(pull(name("")).ok());
}

TEST_F(HubPull, AnswersThatMakeNoSense) {
  const std::string good = R"("size":9,"lfs":{"oid":")" + std::string(64, '0') + "\"}}]";
  const std::pair<std::string, const char*> trees[] = {
      {R"([{"type":"file","path":"../../evil-Q4_0.gguf",)" + good,
       "it names a file '../../evil-Q4_0.gguf', which would lie"},
      {R"([{"type":"file","path":"/etc/evil-Q4_0.gguf",)" + good, "would lie outside"},
      {R"([{"type":"file","path":"a\u0000b",)" + good, "would lie outside"},
      {R"([{"type":"file","path":"x-Q4_0.gguf","size":9,"lfs":{"oid":"../../../x"}}])",
       "the digest of x-Q4_0.gguf is '../../../x'"},
      {R"([{"type":"file","path":"x-Q4_0.gguf","size":9,"oid":"ABC"}])", "the digest of"},
      {R"([{"type":"file","path":"x-Q4_0.gguf","size":-1,"lfs":{"oid":")" + std::string(64, '0') + "\"}}]",
       "no size of"},
      {R"([{"type":"file"}])", "would lie outside"},
      {"{}", "no list of files"},
      {"<html>", "no list of files"},
      {std::string(100'000, '['), "no list of files"},
      {"[1, null, []]", "no GGUF file"}};
  for (const auto& [tree, says] : trees) {
    hub_.set_faults([&](const HubRequest& request) {
      return HubFault{.body = request.target.find("/tree/") != std::string::npos ? tree : ""};
    });
    EXPECT_NE(error(name()).find(says), std::string::npos) << tree.substr(0, 100) << error(name());
  }
  for (const char* commit : {"{}", "[]", R"({"sha":"main"})", R"({"sha":"../../x"})", R"({"sha":1})", "\xff"}) {
    hub_.set_faults([&](const HubRequest&) { return HubFault{.body = commit}; });
    EXPECT_NE(error(name()).find("it names no commit"), std::string::npos) << error(name());
  }
  EXPECT_EQ(laid_out(), std::vector<std::string>());
  EXPECT_EQ(folder_.files(), std::vector<std::string>());
}

TEST_F(HubPull, RefusalsSayWhatToDo) {
  struct Refusal {
    int status;
    const char* code;
    const char* token;
    std::string says;
  };
  const std::string page = hub_.endpoint() + "/Acme/tiny-GGUF";
  const Refusal all[] = {
      {401, "GatedRepo", "", "log in at " + page + ", accept the terms, and set HF_TOKEN"},
      {403, "", "hf_x", "the token in HF_TOKEN doesn't open it: accept the terms at " + page},
      {401, "RepoNotFound", "",
       "there is no such repository at " + hub_.endpoint() + ", or a private one, for which HF_TOKEN"},
      {404, "RepoNotFound", "hf_x", "or a private one that the token in HF_TOKEN doesn't open"},
      {401, "", "hf_x", "the hub doesn't take the token in HF_TOKEN: there are new ones at " + hub_.endpoint()},
      {404, "RevisionNotFound", "", "it has no branch, tag or commit main"},
      {429, "", "",
       "the hub wants fewer requests (429: No\\x1b): try again in 300 s; with a token in HF_TOKEN it allows more"},
      {500, "", "", "the hub has a problem of its own (500: No\\x1b); try again later"},
      {418, "", "", "an answer that makes no sense here (418: No\\x1b)"}};
  environment_.token_place = "HF_TOKEN";
  for (const Refusal& refusal : all) {
    environment_.token = refusal.token;
    hub_.set_faults([&](const HubRequest&) {
      HubFault fault{.status = refusal.status, .fields = {{"Retry-After", "300"}}, .body = R"({"error":"No\u001b"})"};
      if (refusal.code[0] != '\0') fault.fields["X-Error-Code"] = refusal.code;
      return fault;
    });
    const std::string said = error(name());
    EXPECT_TRUE(said.starts_with("Acme/tiny-GGUF:Q4_0: ")) << said;
    EXPECT_NE(said.find(refusal.says), std::string::npos) << said;
  }
  hub_.set_faults(nullptr);
  environment_.token.clear();
  EXPECT_EQ(error(name("Q5_0")), "Acme/tiny-GGUF: there is no Q5_0 in it, but Q8_0 (48.83 KiB), Q4_0 (292.97 KiB)");
  EXPECT_EQ(laid_out(), std::vector<std::string>());
}

TEST_F(HubPull, TroubleThatPasses) {
  int asked = 0;
  hub_.set_faults([&](const HubRequest& request) {
    if (request.storage) return HubFault{};
    switch (asked++ % 3) {
      case 0:
        return HubFault{.status = 503};
      case 1:
        return HubFault{.status = 429, .fields = {{"Retry-After", "1"}}};
      default:
        return HubFault{};
    }
  });
  expect_good(pull(name()), files_[0]);
}

TEST_F(HubPull, ABranchThatMoves) {
  expect_good(pull(name()), files_[0]);
  std::vector<HubFile> newer = files_;
  newer[0].bytes = random_bytes(200'000, 9);
  hub_.set(kSecond, newer);
  expect_good(pull(name()), files_[0]);  // which doesn't ask
  expect_good(pull(name(), true), newer[0], kSecond);
  expect_good(pull(name()), newer[0], kSecond);
  // What is the same in both isn't downloaded twice.
  EXPECT_TRUE(pull(name("Q8_0")).ok());
  hub_.forget_requests();
  hub_.set(std::string(40, 'c'), newer);
  expect_good(pull(name(), true), newer[0], std::string(40, 'c'));
  EXPECT_EQ(hub_.count("/resolve/"), 0u);
}

TEST_F(HubPull, SplitFilesAndFolders) {
  std::vector<HubFile> files;
  for (const char* part : {"x-Q4_0-00001-of-00002.gguf", "x-Q4_0-00002-of-00002.gguf"})
    files.push_back({part, random_bytes(1000, static_cast<unsigned>(files.size()))});
  hub_.set(kFirst, files);
  expect_good(pull(name()), files[0]);
  EXPECT_EQ(hub_.count("/resolve/"), 4u);
  EXPECT_EQ(laid_out().size(), 5u);
  // One of its parts is gone: it isn't here any more.
  fs::remove(cache().blob(MockHub::kRepository, MockHub::digest(files[1])));
  EXPECT_FALSE(cache().find(name(), hub::Cache::Age::kAny));
  expect_good(pull(name()), files[0]);

  const std::vector<HubFile> folder = {
      {"config.json", R"({"model_type":"lfm2_moe"})", false},
      {"tokenizer.json", "{}", false},
      {"model.safetensors.index.json", R"({"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}})", false},
      {"m-1.safetensors", random_bytes(1000, 7)},
      {"m-2.safetensors", random_bytes(1000, 8)}};
  hub_.set(kSecond, folder);
  const auto pulled = pull(name(""), true);
  ASSERT_TRUE(pulled.ok()) << pulled.error().describe();
  EXPECT_EQ(pulled->path, cache().snapshot(MockHub::kRepository, kSecond));
  EXPECT_EQ(cache().find(name(""), hub::Cache::Age::kCurrent), pulled->path);
  for (const HubFile& file : folder) EXPECT_EQ(read_all(pulled->path + "/" + file.path), file.bytes);
  fs::remove(pulled->path + "/m-2.safetensors");  // which the index names
  EXPECT_FALSE(cache().find(name(""), hub::Cache::Age::kCurrent));
}

TEST_F(HubPull, ADiskWithoutRoom) {
  hub_.set_faults([&](const HubRequest& request) {
    if (request.target.find("/tree/") == std::string::npos) return HubFault{};
    return HubFault{.body = R"([{"type":"file","path":"x-Q4_0.gguf","size":1152921504606846976,"lfs":{"oid":")" +
                            std::string(64, '0') + "\"}}]"};
  });
  EXPECT_NE(error(name()).find("and 1059061.76 TiB are needed: make room"), std::string::npos) << error(name());
  EXPECT_EQ(hub_.count("/resolve/"), 0u);
}

TEST_F(HubPull, WhatIsInTheWayStays) {
  const std::string precious = folder_.write("precious", "as it was");
  fs::create_directories(fs::path(part()).parent_path());
  fs::create_symlink(precious, part());
  EXPECT_NE(error(name()).find("cannot write"), std::string::npos) << error(name());
  fs::remove(part());
  fs::create_hard_link(precious, part());
  EXPECT_NE(error(name()).find("something else is in the way"), std::string::npos) << error(name());
  EXPECT_EQ(read_all(precious), "as it was");
  fs::remove(part());
  // A link of another program's that leads elsewhere is set right, and what it led to stays.
  fs::create_directories(cache().snapshot(MockHub::kRepository, kFirst));
  fs::create_symlink(precious, cache().snapshot(MockHub::kRepository, kFirst) + "/tiny-Q4_0.gguf");
  EXPECT_TRUE(pull(name(), true).ok());
  EXPECT_EQ(read_all(precious), "as it was");
  expect_good(pull(name()), files_[0]);
}

TEST_F(HubPull, WithoutANetwork) {
  expect_good(pull(name()), files_[0]);
  hub::PullOptions options{.wait = std::chrono::milliseconds(0)};
  environment_.offline = true;
  EXPECT_TRUE(hub::pull(name(), environment_, options).ok());
  const auto missing = hub::pull(name("Q8_0"), environment_, options);
  EXPECT_NE(missing.error().message.find("HF_HUB_OFFLINE is set"), std::string::npos);
  // The branch is known to have moved, and only the older commit is here.
  std::ofstream(cache().repository(MockHub::kRepository) + "/refs/main") << kSecond;
  const auto older = hub::pull(name(), environment_, options);
  ASSERT_TRUE(older.ok());
  EXPECT_NE(older->note.find("an older version of Acme/tiny-GGUF:Q4_0 is taken"), std::string::npos) << older->note;
}

// Whatever goes wrong, in whatever order: in the end it is the file or an error, and never a blob that is another.
TEST_F(HubPull, RandomTrouble) {
  int good = 0;
  for (unsigned seed = 0; seed < 100; ++seed) {
    std::mt19937 random(seed);
    fs::remove_all(environment_.cache);
    if (seed % 3 == 0)
      leave(seed % 2 == 0 ? files_[0].bytes.substr(0, random() % 300'000) : random_bytes(99'999, seed));
    hub_.set_faults([&](const HubRequest& request) {
      HubFault fault;
      if (random() % 8 == 0) fault.status = std::vector{500, 503, 404, 429}[random() % 4];
      if (!request.storage) return fault;
      if (random() % 2 == 0) fault.cut_after = random() % 200'000;
      if (random() % 3 == 0) fault.range = static_cast<Range>(random() % 5);
      fault.wrong_byte = random() % 12 == 0;
      if (random() % 12 == 0) fault.longer = static_cast<std::int64_t>(random() % 100) - 50;
      return fault;
    });
    const auto pulled = pull(name());
    const std::string blob = cache().blob(MockHub::kRepository, MockHub::digest(files_[0]));
    ASSERT_EQ(pulled.ok(), fs::exists(blob)) << seed;
    if (!pulled.ok()) continue;
    expect_good(pulled, files_[0]);
    ++good;
  }
  EXPECT_GT(good, 25);
  EXPECT_LT(good, 100);
}

}  // namespace
}  // namespace lfm::test
