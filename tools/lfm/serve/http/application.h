// HTTP as the rest of the server sees it: a request, whole, and the way back to who sent it. The network is behind it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lfm::serve {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // "GET"
  std::string path;    // "/v1/models", without what follows a question mark
  std::string query;   // what follows it
  Headers headers;     // as they came; names may be in any case
  std::string body;
  bool local = false;  // through a Unix socket

  std::shared_ptr<void> hold = nullptr;  // the memory that is reckoned to the body, for as long as it is there

  // The value of the first header of that name, in whatever case; empty where there is none.
  std::string_view header(std::string_view name) const noexcept;
};

struct Response {
  int status = 200;
  std::string body = {};
  std::string type = "application/json; charset=utf-8";
  Headers headers = {};
};

// How an answer begins that comes in parts.
struct StreamHead {
  std::string type;            // "text/event-stream"
  std::string heartbeat = {};  // what is sent when nothing was for a while; empty: nothing
  Headers headers = {};
};

// The way back. One thread at a time; either send(), or open(), any number of write()s and close() or abandon(). A
// request that is let go of without an answer is answered with 500.
class Reply {
 public:
  virtual ~Reply() = default;

  void send(Response response) { static_cast<void>(try_send(std::move(response))); }
  virtual bool try_send(Response response) = 0;  // false where a stream has begun

  // The answer is a stream from the first write() on, or from the first heartbeat where that is later. Until then
  // nothing is said, so that it may still become another answer, and a proxy may ask another server.
  virtual void open(StreamHead head) = 0;
  // Waits while the client reads more slowly than it is written to. False once the client has gone.
  virtual bool write(std::string_view bytes) = 0;
  virtual void close() = 0;
  virtual void abandon() = 0;  // ends the connection in the middle, so that nobody takes the stream for whole

  // Asked to stop when the client has gone, or the server ends.
  virtual std::stop_token gone() const noexcept = 0;
};

using ReplyPointer = std::shared_ptr<Reply>;

// What answers. Both are called on the network thread, which waits for nothing.
class Application {
 public:
  virtual ~Application() = default;

  // Of a request whose body hasn't come yet: how it is refused, or nothing.
  virtual std::optional<Response> refuse(const Request& head) = 0;

  virtual void handle(Request request, ReplyPointer reply) = 0;

  // Of what is no request at all, or one that is beyond a limit: 400, 408, 413, 431, 503.
  virtual Response failure(int status, std::string sentence) = 0;
};

}  // namespace lfm::serve
