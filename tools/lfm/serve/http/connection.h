// A connection: requests one after the other, each read whole, then answered while its client is watched.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "serve/http/application.h"
#include "serve/http/exchange.h"
#include "serve/limits.h"

namespace lfm::serve {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

class Connection;

// Bytes of bodies that are being received, or wait to be read.
class Budget {
 public:
  explicit Budget(std::size_t most) : most_(most) {}

  // Null where there is no room for so many. They are given back with the last copy.
  static std::shared_ptr<void> take(const std::shared_ptr<Budget>& budget, std::size_t bytes);

 private:
  const std::size_t most_;
  std::atomic<std::size_t> used_ = 0;
};

// What the connections of a server have in common. All but the atomic ones are the network thread's.
struct Network {
  Network(const HttpLimits& set, Application& answering)
      : limits(set), application(answering), budget(std::make_shared<Budget>(set.all_body_bytes)) {}

  const HttpLimits limits;
  Application& application;
  const std::shared_ptr<Budget> budget;
  asio::io_context io{1};
  std::list<Connection*> open;  // the oldest first
  std::map<std::string, std::size_t> of_peer;
  std::atomic<std::size_t> count = 0;
  std::atomic<bool> draining = false;
};

enum class Phase { kIdle, kHead, kBody, kAnswer, kLinger, kClosed };

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Network& network, asio::generic::stream_protocol::socket socket, std::string peer, bool local);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start() { wait_for_request(network_.limits.header_time); }
  void refuse(int status, std::string sentence);  // instead of start(), too
  void close();

  Phase phase() const noexcept { return phase_; }
  const std::string& peer() const noexcept { return peer_; }

 private:
  using Clock = std::chrono::steady_clock;
  using Socket = asio::generic::stream_protocol::socket;
  using Parser = http::request_parser<http::string_body>;

  void wait_for_request(std::chrono::seconds patience);
  void read_head();
  void head_read(error_code error);
  void read_body();
  void dispatch();
  void fail(error_code error);
  const char* take_request();
  Framing framing() const;
  std::shared_ptr<Exchange> begin_answer(bool whole_request);
  void flush();
  void write_some();
  void answered();
  void linger();
  void throw_away(std::size_t so_far);
  void watch();
  void watched();
  bool hung_up() const noexcept;
  void set_timer(Clock::duration time);
  void timer_fired();
  void tick();
  void send_heartbeat();

  Network& network_;
  Socket socket_;
  asio::steady_timer timer_;
  const std::string peer_;
  const bool local_;
  std::list<Connection*>::iterator place_;  // in Network::open
  std::shared_ptr<Connection> self_;        // while it is open

  Phase phase_ = Phase::kIdle;
  boost::beast::flat_buffer in_;
  std::optional<Parser> parser_;
  Request request_;
  std::shared_ptr<void> body_room_;
  std::string discarded_;

  std::shared_ptr<Outbox> outbox_;
  bool reusable_ = false;  // the whole request was read
  std::string out_;
  std::size_t written_ = 0;
  Outbox::Taken taken_;
  bool writing_ = false;
  bool watching_ = false;
  bool pipelined_ = false;  // the client has sent more, which is read afterwards
  Clock::time_point last_write_;
};

}  // namespace lfm::serve
