// A client that says what it is told to, byte for byte, and reads what HTTP/1.1 says comes back.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lfm::test {

using Json = nlohmann::ordered_json;

struct Answer {
  int status = 0;       // 0: none came
  std::string head;     // all header lines
  std::string body;     // without its framing
  bool whole = false;   // its end was told
  bool closed = false;  // the server ended the connection behind it, or said that it would

  std::string header(std::string_view name) const;
  Json json() const { return Json::parse(body, nullptr, false); }
  std::vector<Json> events() const;  // of server-sent events, "[DONE]" as a text
};

// One connection. Gives up on anything after 30 s.
class Client {
 public:
  explicit Client(std::uint16_t port);
  explicit Client(const std::string& socket_path);
  Client(Client&& other) noexcept : file_(std::exchange(other.file_, -1)), got_(std::move(other.got_)) {}
  Client& operator=(Client&&) = delete;
  ~Client() { close(); }

  void send(std::string_view bytes) const;
  Answer read(bool head_only = false);
  bool read_until(std::string_view text);          // of what comes, framing included; leaves it there
  bool says_something(std::chrono::milliseconds patience) { return more(patience); }
  bool ended(std::chrono::milliseconds patience);  // the server has closed it
  void close();

 private:
  bool more(std::chrono::milliseconds patience);

  int file_ = -1;
  std::string got_;
};

std::string get_request(std::string_view path, std::string_view headers = "");
std::string post_request(std::string_view path, std::string_view body, std::string_view headers = "");

// On connections of their own.
Answer get(std::uint16_t port, std::string_view path, std::string_view headers = "");
Answer post(std::uint16_t port, std::string_view path, std::string_view body, std::string_view headers = "");
Answer ask(std::uint16_t port, std::string_view path, const Json& body);

}  // namespace lfm::test
