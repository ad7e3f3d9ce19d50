// HTTP/1.1 over TCP and Unix sockets, on one thread, however many clients there are and however slowly they speak.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lfm/result.h"
#include "serve/http/application.h"
#include "serve/limits.h"

namespace lfm::serve {

struct Listen {
  std::string host = "127.0.0.1";  // a name or an address; empty: no TCP
  std::uint16_t port = 8080;       // 0: one that is free
  std::string socket = {};         // path of a Unix socket that only this user may open; empty: none
};

class HttpServer {
 public:
  // Takes connections from now on, and answers none before run(). The application outlives the server.
  //   kIo  the system refuses the address, or the port is taken;   kArgument  no such host
  static Result<std::unique_ptr<HttpServer>> listen(const Listen& where, const HttpLimits& limits,
                                                    Application& application);
  virtual ~HttpServer() = default;

  // "http://127.0.0.1:8080", "unix:/run/lfm.sock"
  virtual std::vector<std::string> addresses() const = 0;
  virtual std::uint16_t port() const noexcept = 0;  // 0 without TCP

  // Serves until it is told to end, and what runs then has ended, or had its time. SIGINT and SIGTERM tell it; told
  // twice, it waits for nothing.
  virtual void run() = 0;
  virtual void stop() = 0;  // from any thread

  virtual std::size_t connections() const noexcept = 0;  // from any thread
  virtual bool draining() const noexcept = 0;            // from any thread
};

}  // namespace lfm::serve
