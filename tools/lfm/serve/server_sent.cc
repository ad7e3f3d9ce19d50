#include "serve/server_sent.h"

namespace lfm::serve {
namespace {

constexpr std::string_view kComment = ": \n\n";

}  // namespace

bool ServerSentEvents::open() {
  begun_ = true;
  // The last is for nginx, which would keep the events until there are many.
  reply_->open(
      {"text/event-stream", std::string(kComment), {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}}});
  return reply_->write(kComment);
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

void ServerSentEvents::fail(const Json& data) {
  send(data);
  reply_->close();
}

}  // namespace lfm::serve
