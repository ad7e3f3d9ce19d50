// Any bytes on a connection to `lfm serve`, and any body of each of its endpoints: what is answered is HTTP with JSON
// in it, never the server's own failure, and the next request is answered.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>

#include "fuzz/small_model.h"
#include "serve/http/server.h"
#include "serve/service.h"

namespace {

// One server for all inputs, on a Unix socket.
class Server {
 public:
  Server() {
    const std::string folder =
        std::filesystem::temp_directory_path() / ("lfm-serve-fuzz-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    const std::string model = folder + "/model.gguf";
    std::ofstream(model, std::ios::binary) << lfm::test::smallest_whole(false).builder().build();
    path_ = folder + "/socket";
    lfm::serve::ServiceOptions options;
    options.slots = 1;
    options.readers = 1;
    options.model.context_tokens = 512;
    options.limits.time = std::chrono::seconds(1);  // what there is then is the answer
    options.metrics = options.show_slots = true;
    service_ = std::make_unique<lfm::serve::Service>(options);
    auto made = lfm::serve::HttpServer::listen({"", 0, path_}, {}, *service_);
    if (!made.ok()) std::abort();
    server_ = *std::move(made);
    std::promise<bool> loaded;
    service_->load(
        [&](std::stop_token, const lfm::ProgressCallback&) { return lfm::Engine::open(model, {.threads = 1}); },
        [&](const lfm::Status& status) { loaded.set_value(status.ok()); });
    if (!loaded.get_future().get()) std::abort();
    thread_ = std::thread([this] { server_->run(); });
  }
  ~Server() {
    server_->stop();
    thread_.join();
    static_cast<void>(service_->end());
    std::filesystem::remove_all(std::filesystem::path(path_).parent_path());
  }

  // What comes back until the server ends the connection, or says nothing for so many milliseconds.
  std::string say(std::string_view bytes, int patience) const {
    const int file = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::strncpy(to.sun_path, path_.c_str(), sizeof to.sun_path - 1);
    if (::connect(file, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) std::abort();
    // libFuzzer's alarm interrupts what waits.
    while (!bytes.empty()) {
      const ssize_t n = ::send(file, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    std::string got;
    std::array<char, 65536> part;
    for (;;) {
      pollfd ready{file, POLLIN, 0};
      const int some = ::poll(&ready, 1, patience);
      if (some < 0 && errno == EINTR) continue;
      if (some <= 0) break;
      const ssize_t n = ::recv(file, part.data(), part.size(), 0);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      got.append(part.data(), static_cast<std::size_t>(n));
    }
    ::close(file);
    return got;
  }

 private:
  std::string path_;
  std::unique_ptr<lfm::serve::Service> service_;
  std::unique_ptr<lfm::serve::HttpServer> server_;
  std::thread thread_;
};

// An input's first byte is the letter of one of them, from "a" on; any other one, of a whole connection.
constexpr std::array<std::string_view, 11> kPaths = {
    "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/api/chat",
    "/api/generate",        "/api/show",       "/tokenize",     "/detokenize",  "/apply-template",
    "/v1/embeddings"};

void check(std::string_view answer) {
  if (!answer.starts_with("HTTP/1.1 ") || answer.size() < 12) std::abort();
  if (answer.substr(9, 3) == "500") std::abort();
  const std::size_t body = answer.find("\r\n\r\n");
  if (body == answer.npos) std::abort();
  const bool json = answer.substr(0, body).find("Content-Type: application/json") != answer.npos;
  if (json && !nlohmann::json::accept(answer.substr(body + 4))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Server server;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t kind = data[0] - std::size_t{'a'};
  if (kind >= kPaths.size()) {
    // It may be half a request, which isn't answered for a while.
    const std::string answer = server.say(bytes, 1);
    if (!answer.empty() && !answer.starts_with("HTTP/1.1 ")) std::abort();
    return 0;
  }
  check(server.say("POST " + std::string(kPaths[kind]) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
                       "Content-Type: application/json\r\nContent-Length: " + std::to_string(bytes.size()) +
                       "\r\n\r\n" + std::string(bytes),
                   20000));
  return 0;
}
