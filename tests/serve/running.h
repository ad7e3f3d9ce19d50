// A server with the nano model, on a port of its own, in this process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "serve/http/server.h"
#include "serve/service.h"

namespace lfm::test {

// Opened once for all servers of the program.
const Engine& nano_engine();

struct ServerSetup {
  serve::ServiceOptions service = {};
  serve::HttpLimits http = {};
  std::string socket = {};  // instead of TCP
  bool loads = true;        // otherwise its model never comes
  const Engine* engine = nullptr;  // null: nano_engine()
};

// Ends with the object.
class Running {
 public:
  explicit Running(ServerSetup setup = {});
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  std::uint16_t port() const noexcept { return server_->port(); }
  serve::Service& service() noexcept { return *service_; }
  serve::HttpServer& server() noexcept { return *server_; }

  // Whether nothing runs or waits any more; waits 10 s for it at most.
  bool becomes_idle() const;

 private:
  std::unique_ptr<serve::Service> service_;
  std::unique_ptr<serve::HttpServer> server_;
  std::thread thread_;
};

}  // namespace lfm::test
