#include "serve/http/exchange.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace lfm::serve {
namespace {

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  // In English whatever the locale, as strftime() wouldn't have it.
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[static_cast<unsigned>(parts.tm_wday)],
                parts.tm_mday, kMonths[static_cast<unsigned>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour,
                parts.tm_min, parts.tm_sec);
  return text;
}

constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace

std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Payload Too Large";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return status < 400 ? "OK" : "Error";
  }
}

std::string Outbox::head(int status, std::string_view type, const Headers& headers, std::string_view length) const {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " ";
  text += reason_phrase(status);
  const auto add = [&text](std::string_view name, std::string_view value) {
    text.append("\r\n").append(name).append(": ").append(value);
  };
  add("Date", http_date());
  if (!type.empty()) add("Content-Type", type);
  if (status == 204) {
    // Has no body, and may not say so.
  } else if (!length.empty()) {
    add("Content-Length", length);
  } else if (framing_.chunked) {
    add("Transfer-Encoding", "chunked");
  }
  add("Connection", framing_.keep_alive ? "keep-alive" : "close");
  // Whatever a browser makes of other people's bytes, it is what we say it is.
  add("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : headers) add(name, value);
  return text + "\r\n\r\n";
}

std::string Outbox::framed(std::string_view bytes) const {
  if (!framing_.chunked) return std::string(bytes);
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  std::string text = size;
  return text.append(bytes).append("\r\n");
}

void Outbox::add(std::unique_lock<std::mutex>& lock, std::string_view bytes, End end) {
  if (lost_ || end_ != End::kNone) return;
  waiting_.append(bytes);
  end_ = end;
  const bool wake = !std::exchange(woken_, true);
  lock.unlock();
  if (wake) wake_();
}

Outbox::Taken Outbox::take() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  Taken taken{std::exchange(waiting_, {}), end_, heartbeat_, framing_.keep_alive};
  room_.notify_all();
  return taken;
}

void Outbox::lose() {
  {
    const std::lock_guard lock(mutex_);
    lost_ = true;
    waiting_.clear();
    room_.notify_all();
  }
  gone_.request_stop();
}

bool Outbox::send(const Response& response) {
  std::unique_lock lock(mutex_);
  if (begun_) return false;
  begun_ = true;
  std::string text = head(response.status, response.body.empty() ? "" : response.type, response.headers,
                          std::to_string(response.body.size()));
  if (framing_.body) text += response.body;
  add(lock, text, End::kWhole);
  return true;
}

void Outbox::open(StreamHead head) {
  const std::lock_guard lock(mutex_);
  if (!begun_) stream_ = std::move(head);
}

// The lock is held.
void Outbox::begin_stream() {
  if (begun_ || !stream_) return;
  begun_ = true;
  if (!framing_.chunked) framing_.keep_alive = false;
  if (!stream_->heartbeat.empty()) heartbeat_ = framed(stream_->heartbeat);
  if (!lost_) waiting_ += head(200, stream_->type, stream_->headers, {});
}

void Outbox::begin() {
  const std::lock_guard lock(mutex_);
  begin_stream();
}

bool Outbox::write(std::string_view bytes) {
  std::unique_lock lock(mutex_);
  begin_stream();
  room_.wait(lock, [this] { return lost_ || waiting_.size() < most_unread_; });
  if (lost_) return false;
  if (!bytes.empty()) add(lock, framed(bytes), End::kNone);
  return true;
}

void Outbox::end(End end) {
  std::unique_lock lock(mutex_);
  begin_stream();
  add(lock, end == End::kWhole && framing_.chunked ? kLastChunk : std::string_view(), end);
}

void Outbox::end_if_unanswered(const std::function<Response()>& answer) {
  std::unique_lock lock(mutex_);
  if (end_ != End::kNone || lost_) return;
  const bool begun = begun_;
  lock.unlock();
  if (begun) {
    end(End::kBroken);
  } else {
    send(answer());
  }
}

}  // namespace lfm::serve
