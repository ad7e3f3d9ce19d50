// A stream of server-sent events, as every dialect but Ollama's has them.
#pragma once

#include <string_view>

#include "serve/fields.h"
#include "serve/http.h"

namespace lfm::serve {

class ServerSentEvents {
 public:
  explicit ServerSentEvents(ReplyPointer reply) : reply_(std::move(reply)) {}

  bool open();  // its head, and a comment, so that everybody on the way sees that it has begun
  bool begun() const noexcept { return begun_; }

  // "data: JSON", with "event: NAME" before it where there is a name. False once the client has gone.
  bool send(const Json& data, std::string_view event = {});

  void done();  // "data: [DONE]", and the end
  void end() { reply_->close(); }
  void fail(const Json& data);  // tells why there is no more, and ends without "[DONE]"

 private:
  const ReplyPointer reply_;
  bool begun_ = false;
};

}  // namespace lfm::serve
