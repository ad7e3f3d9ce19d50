// One request's answer on its way from the thread that makes it to the network thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "serve/http/application.h"

namespace lfm::serve {

// How the answer's bytes are framed, which the request decides.
struct Framing {
  bool body = true;        // not for HEAD
  bool chunked = true;     // a stream's end is told by an empty chunk; otherwise by the connection's end
  bool keep_alive = true;  // further requests may come
};

// What both threads share.
class Outbox {
 public:
  // `wake` is called, on any thread, where something is there to be taken and the last take() had all.
  Outbox(Framing framing, std::size_t most_unread, std::function<void()> wake)
      : framing_(framing), most_unread_(most_unread), wake_(std::move(wake)) {}

  enum class End { kNone, kWhole, kBroken };
  struct Taken {
    std::string bytes;
    End end = End::kNone;     // behind these bytes
    std::string heartbeat;    // of a stream, framed
    bool keep_alive = false;  // as the answer said
  };

  // Of the network thread.
  Taken take();
  void lose();   // the client has gone
  void begin();  // a stream that is open, though nothing was written yet

  // Of the thread that answers.
  bool send(const Response& response);
  void open(StreamHead head);
  bool write(std::string_view bytes);
  void end(End end);
  void end_if_unanswered(const std::function<Response()>& answer);
  std::stop_token gone() const noexcept { return gone_.get_token(); }

 private:
  std::string head(int status, std::string_view type, const Headers& headers, std::string_view length) const;
  std::string framed(std::string_view bytes) const;
  void begin_stream();
  void add(std::unique_lock<std::mutex>& lock, std::string_view bytes, End end);

  Framing framing_;
  const std::size_t most_unread_;
  const std::function<void()> wake_;
  std::stop_source gone_;

  std::mutex mutex_;
  std::condition_variable room_;
  std::string waiting_;
  std::optional<StreamHead> stream_;  // opened
  std::string heartbeat_;             // framed, once it has begun
  bool begun_ = false;                // something was said
  bool woken_ = false;
  bool lost_ = false;
  End end_ = End::kNone;
};

class Exchange final : public Reply {
 public:
  Exchange(std::shared_ptr<Outbox> outbox, std::function<Response()> unanswered)
      : outbox_(std::move(outbox)), unanswered_(std::move(unanswered)) {}
  ~Exchange() override { outbox_->end_if_unanswered(unanswered_); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  bool try_send(Response response) override { return outbox_->send(response); }
  void open(StreamHead head) override { outbox_->open(std::move(head)); }
  bool write(std::string_view bytes) override { return outbox_->write(bytes); }
  void close() override { outbox_->end(Outbox::End::kWhole); }
  void abandon() override { outbox_->end(Outbox::End::kBroken); }
  std::stop_token gone() const noexcept override { return outbox_->gone(); }

 private:
  std::shared_ptr<Outbox> outbox_;
  std::function<Response()> unanswered_;
};

// "Not Found"
std::string_view reason_phrase(int status) noexcept;

}  // namespace lfm::serve
