// Server-sent events: how answers are streamed in every dialect but Ollama's.
#pragma once

#include <string_view>

#include "serve/fields.h"
#include "serve/http/application.h"

namespace lfm::serve {

class ServerSentEvents {
 public:
  explicit ServerSentEvents(ReplyPointer reply) : reply_(std::move(reply)) {}

  // A comment comes whenever nothing else did for a while, so that everybody on the way sees that it goes on.
  void open();

  // "data: JSON", with "event: NAME" before it where there is a name. False once the client has gone.
  bool send(const Json& data, std::string_view event = {});

  void done();  // "data: [DONE]", and the end
  void end() { reply_->close(); }

  // Tells why there is no more: in a response of its own where no event has been sent, else in an event, and no
  // "[DONE]" behind it.
  void fail(Response response, const Json& data, std::string_view event = {});

 private:
  const ReplyPointer reply_;
};

}  // namespace lfm::serve
