#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace lfm::test {
namespace {

constexpr std::chrono::milliseconds kPatience(30000);

bool same_letters(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string Answer::header(std::string_view name) const {
  for (std::size_t at = head.find("\r\n"); at != std::string::npos && at + 2 < head.size();) {
    const std::size_t begin = at + 2;
    const std::size_t end = std::min(head.find("\r\n", begin), head.size());
    const std::size_t colon = head.find(": ", begin);
    if (colon < end && same_letters(std::string_view(head).substr(begin, colon - begin), name))
      return head.substr(colon + 2, end - colon - 2);
    at = end;
  }
  return {};
}

std::vector<Json> Answer::events() const {
  std::vector<Json> all;
  constexpr std::string_view kData = "data: ";
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t end = std::min(body.find('\n', at), body.size());
    const std::string_view line = std::string_view(body).substr(at, end - at);
    if (line == "data: [DONE]") {
      all.emplace_back("[DONE]");
    } else if (line.starts_with(kData)) {
      all.push_back(Json::parse(line.substr(kData.size())));
    }
    at = end + 1;
  }
  return all;
}

Client::Client(std::uint16_t port) : file_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(file_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("no connection");
}

Client::Client(const std::string& socket_path) : file_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::strncpy(to.sun_path, socket_path.c_str(), sizeof to.sun_path - 1);
  if (::connect(file_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("no connection");
}

void Client::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::send(file_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;  // what it had to say is in what it sent
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool Client::more(std::chrono::milliseconds patience) {
  pollfd file{file_, POLLIN, 0};
  if (::poll(&file, 1, static_cast<int>(patience.count())) <= 0) return false;
  char bytes[65536];
  const ssize_t n = ::recv(file_, bytes, sizeof bytes, 0);
  if (n > 0) got_.append(bytes, static_cast<std::size_t>(n));
  return n > 0;
}

bool Client::read_until(std::string_view text) {
  while (got_.find(text) == std::string::npos) {
    if (!more(kPatience)) return false;
  }
  return true;
}

bool Client::ended(std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd file{file_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&file, 1, static_cast<int>(left.count())) <= 0) return false;
    if (!more(std::chrono::milliseconds(0))) return true;
  }
}

void Client::close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

Answer Client::read(bool head_only) {
  Answer answer;
  do {
    if (!read_until("\r\n\r\n")) return answer;
    const std::size_t end = got_.find("\r\n\r\n");
    answer.head = got_.substr(0, end + 2);
    got_.erase(0, end + 4);
    if (answer.head.size() < 13) return answer;
    answer.status = std::atoi(answer.head.c_str() + 9);
  } while (answer.status == 100);
  answer.closed = answer.header("Connection") == "close";
  if (head_only || answer.status == 204) return answer.whole = true, answer;
  if (const std::string length = answer.header("Content-Length"); !length.empty()) {
    const auto bytes = static_cast<std::size_t>(std::atoll(length.c_str()));
    while (got_.size() < bytes && more(kPatience)) {
    }
    answer.whole = got_.size() >= bytes;
    answer.body = got_.substr(0, bytes);
    got_.erase(0, bytes);
    return answer;
  }
  if (answer.header("Transfer-Encoding") != "chunked") {
    while (more(kPatience)) {
    }
    answer.body = std::exchange(got_, {});
    answer.whole = true;
    return answer;
  }
  for (;;) {
    if (!read_until("\r\n")) return answer;
    const std::size_t line = got_.find("\r\n");
    const std::size_t bytes = std::strtoul(got_.c_str(), nullptr, 16);
    got_.erase(0, line + 2);
    while (got_.size() < bytes + 2) {
      if (!more(kPatience)) return answer;
    }
    answer.body += got_.substr(0, bytes);
    got_.erase(0, bytes + 2);
    if (bytes == 0) return answer.whole = true, answer;
  }
}

std::string get_request(std::string_view path, std::string_view headers) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers) + "\r\n";
}

std::string post_request(std::string_view path, std::string_view body, std::string_view headers) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
         "Content-Length: " + std::to_string(body.size()) + "\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

Answer get(std::uint16_t port, std::string_view path, std::string_view headers) {
  Client client(port);
  client.send(get_request(path, headers));
  return client.read();
}

Answer post(std::uint16_t port, std::string_view path, std::string_view body, std::string_view headers) {
  Client client(port);
  client.send(post_request(path, body, headers));
  return client.read();
}

Answer ask(std::uint16_t port, std::string_view path, const Json& body) {
  return post(port, path, body.dump());
}

}  // namespace lfm::test
