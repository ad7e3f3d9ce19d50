#include "serve/http/access.h"

#include <gtest/gtest.h>

#include "support/temp_folder.h"

namespace lfm::serve {
namespace {

Request from(const std::string& host, const std::string& origin = "", const std::string& authorization = "") {
  Request head;
  head.method = "GET";
  head.headers = {{"host", host}};
  if (!origin.empty()) head.headers.emplace_back("ORIGIN", origin);
  if (!authorization.empty()) head.headers.emplace_back("Authorization", authorization);
  return head;
}

int status(const Access& access, const Request& head, bool open = false) {
  const auto error = access.refuse(head, open);
  return error ? error->status : 200;
}

TEST(Access, WithoutAKeyTheNameHasToBeOurs) {
  const Access access(AccessRules{{}, {"box.example"}, {}});
  for (const char* const host : {"localhost", "LOCALHOST:8080", "a.localhost:1", "127.0.0.1", "127.0.0.1:8080",
                                 "[::1]:80", "192.168.1.2:8080", "box.example", "Box.Example:8080"})
    EXPECT_EQ(status(access, from(host)), 200) << host;
  for (const char* const host : {"evil.example", "evil.example:8080", "localhost.evil.example",
                                 "127.0.0.1.evil.example", "xlocalhost", "box.example.evil"})
    EXPECT_EQ(status(access, from(host)), 403) << host;
}

TEST(Access, PagesOfOthersMayNotAsk) {
  const Access access(AccessRules{});
  EXPECT_EQ(status(access, from("localhost:8080", "http://localhost:8080")), 200);
  EXPECT_EQ(status(access, from("localhost:8080", "http://localhost:8081")), 403);
  EXPECT_EQ(status(access, from("localhost:8080", "https://evil.example")), 403);
  EXPECT_EQ(status(access, from("localhost:8080", "null")), 403);
  EXPECT_TRUE(access.for_page(from("localhost", "https://evil.example")).empty());

  const Access listed(AccessRules{{}, {}, {"https://good.example"}});
  EXPECT_EQ(status(listed, from("localhost", "https://good.example")), 200);
  EXPECT_EQ(status(listed, from("localhost", "https://good.example.evil")), 403);
  const Headers headers = listed.for_page(from("localhost", "https://good.example"));
  ASSERT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers[0].second, "https://good.example");
  EXPECT_TRUE(listed.for_page(from("localhost", "https://evil.example")).empty());

  EXPECT_EQ(status(Access(AccessRules{{}, {}, {"*"}}), from("localhost", "https://any.example")), 200);
}

TEST(Access, KeysAreAskedFor) {
  const Access access(AccessRules{{"first", "second"}, {}, {}});
  EXPECT_EQ(status(access, from("any.example")), 401);
  EXPECT_EQ(status(access, from("any.example"), true), 200);
  for (const char* const right : {"Bearer first", "bearer second", "Bearer  first "})
    EXPECT_EQ(status(access, from("any.example", "", right)), 200) << right;
  for (const char* const wrong : {"Bearer", "Bearer ", "first", "Basic first", "Bearer firs", "Bearer first1",
                                  "Bearer FIRST", "Bearer firstfirst"})
    EXPECT_EQ(status(access, from("any.example", "", wrong)), 401) << wrong;
  Request other = from("any.example");
  other.headers.emplace_back("x-api-key", "second");
  EXPECT_EQ(status(access, other), 200);
  other.headers.back().second = "";
  EXPECT_EQ(status(access, other), 401);
}

TEST(Access, KeysOfAFile) {
  const test::TempFolder folder;
  const auto keys = read_keys(folder.write("keys", "# of the team\n one \r\n\ntwo"));
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(*keys, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(read_keys(folder.write("none", "# nothing\n\n")).error().code, ErrorCode::kArgument);
  EXPECT_EQ(read_keys(folder.path("missing")).error().code, ErrorCode::kIo);
}

TEST(Access, WhatIsThisMachineAlone) {
  for (const char* const host : {"localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"})
    EXPECT_TRUE(is_loopback(host)) << host;
  for (const char* const host : {"0.0.0.0", "::", "192.168.0.1", "127.evil.example", "example.org", ""})
    EXPECT_FALSE(is_loopback(host)) << host;
}

}  // namespace
}  // namespace lfm::serve
