// What a stranger may ask for, each a flag of the command.
#pragma once

#include <chrono>
#include <cstddef>

namespace lfm::serve {

// Of connections and of requests as bytes.
struct HttpLimits {
  std::size_t connections = 256;
  std::size_t connections_of_one = 64;                 // of an address that isn't this machine's own
  std::size_t header_bytes = std::size_t{16} << 10;    // the first line included
  std::size_t body_bytes = std::size_t{8} << 20;       // of one request
  std::size_t all_body_bytes = std::size_t{64} << 20;  // of all that are being received
  std::size_t unread_bytes = std::size_t{1} << 20;     // of an answer that its reader hasn't taken

  std::chrono::seconds header_time{10};  // for a request's header, from its first byte on
  std::chrono::seconds body_time{30};    // for its body, and one more for each `body_rate` bytes
  std::size_t body_rate = 10 << 10;
  std::chrono::seconds idle_time{60};   // between requests
  std::chrono::seconds write_time{30};  // in which a reader takes nothing
  std::chrono::seconds heartbeat_time{15};
  std::chrono::seconds drain_time{30};  // for what runs when the server is told to end
};

// Of what requests say.
struct RequestLimits {
  std::size_t depth = 64;      // of JSON
  std::size_t members = 1024;  // of an object
  std::size_t stops = 16;
  std::size_t stop_bytes = 256;
  std::size_t biases = 1000;
  std::size_t tools = 256;
  std::size_t messages = 4096;
  std::size_t choices = 8;
  std::size_t top_logprobs = 20;
  std::chrono::seconds time{600};  // for an answer, waiting included; what there is then is the answer
};

}  // namespace lfm::serve
