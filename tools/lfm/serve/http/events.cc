#include "serve/http/events.h"

namespace lfm::serve {

void ServerSentEvents::open() {
  // The last is for nginx, which would keep the events until there are many.
  reply_->open({"text/event-stream", ": \n\n", {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}}});
}

bool ServerSentEvents::send(const Json& data, std::string_view event) {
  std::string text;
  if (!event.empty()) text.append("event: ").append(event).append("\n");
  return reply_->write(text.append("data: ").append(json_text(data)).append("\n\n"));
}

void ServerSentEvents::done() {
  reply_->write("data: [DONE]\n\n");
  reply_->close();
}

void ServerSentEvents::fail(Response response, const Json& data, std::string_view event) {
  if (reply_->try_send(std::move(response))) return;
  send(data, event);
  reply_->close();
}

}  // namespace lfm::serve
