#include "serve/http/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <cerrno>

#include "serve/http/words.h"

namespace lfm::serve {
namespace {

constexpr std::chrono::seconds kTick(1);
constexpr std::chrono::seconds kLingerTime(2);
constexpr std::size_t kLingerBytes = std::size_t{1} << 20;

}  // namespace

std::shared_ptr<void> Budget::take(const std::shared_ptr<Budget>& budget, std::size_t bytes) {
  if (budget->used_.fetch_add(bytes) + bytes > budget->most_) {
    budget->used_ -= bytes;
    return nullptr;
  }
  return {budget.get(), [budget, bytes](void*) { budget->used_ -= bytes; }};
}

Connection::Connection(Network& network, Socket socket, std::string peer, bool local)
    : network_(network), socket_(std::move(socket)), timer_(network.io), peer_(std::move(peer)), local_(local) {
  place_ = network_.open.insert(network_.open.end(), this);
  network_.count = network_.open.size();
  if (!peer_.empty()) ++network_.of_peer[peer_];
}

Connection::~Connection() {
  close();
}

void Connection::wait_for_request(std::chrono::seconds patience) {
  phase_ = Phase::kIdle;
  self_ = shared_from_this();
  set_timer(patience);
  if (in_.size() > 0) return read_head();
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](error_code error) {
    if (self->phase_ != Phase::kIdle) return;
    if (error) return self->close();
    self->set_timer(self->network_.limits.header_time);
    self->read_head();
  });
}

void Connection::read_head() {
  phase_ = Phase::kHead;
  request_ = {};
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(network_.limits.header_bytes));
  parser_->body_limit(network_.limits.body_bytes);
  http::async_read_header(socket_, in_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
    if (self->phase_ == Phase::kHead) self->head_read(error);
  });
}

// What the request says in front of its body; a sentence where it can't be.
const char* Connection::take_request() {
  const auto& head = parser_->get();
  request_.local = local_;
  request_.method = std::string(head.method_string());
  std::string target(head.target());
  // A proxy's way to name us.
  if (const auto scheme = target.find("://"); scheme != std::string::npos && target[0] != '/') {
    const auto path = target.find('/', scheme + 3);
    target = path == std::string::npos ? "/" : target.substr(path);
  }
  if (target.empty() || (target[0] != '/' && target != "*"))
    return "the request's first line names no path: one begins with '/'";
  const auto mark = target.find('?');
  request_.path = target.substr(0, mark);
  if (mark != std::string::npos) request_.query = target.substr(mark + 1);
  std::size_t hosts = 0;
  for (const auto& field : head) {
    request_.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    hosts += field.name() == http::field::host;
  }
  // Two ways to tell the body's length are how one proxy is made to see another request than the next.
  if (parser_->chunked() && head.find(http::field::content_length) != head.end())
    return "the body's length is told twice, by Content-Length and by Transfer-Encoding";
  if (hosts > 1) return "there is more than one Host header";
  if (hosts == 0 && head.version() >= 11) return "there is no Host header, which HTTP/1.1 asks for";
  return nullptr;
}

void Connection::head_read(error_code error) {
  if (error) return fail(error);
  if (const char* const problem = take_request()) return refuse(400, problem);
  if (auto refusal = network_.application.refuse(request_))
    return begin_answer(parser_->is_done())->send(*std::move(refusal));
  if (parser_->is_done()) return dispatch();
  const auto length = parser_->content_length();
  body_room_ = Budget::take(network_.budget, length ? static_cast<std::size_t>(*length) : network_.limits.body_bytes);
  if (!body_room_) return refuse(503, "the requests that are being received take all the memory there is for them");
  phase_ = Phase::kBody;
  const std::size_t most = length ? static_cast<std::size_t>(*length) : network_.limits.body_bytes;
  set_timer(network_.limits.body_time + std::chrono::seconds(most / network_.limits.body_rate));
  if (!same_word(request_.header("Expect"), "100-continue")) return read_body();
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(socket_, asio::buffer(kContinue), [self = shared_from_this()](error_code failed, std::size_t) {
    if (self->phase_ != Phase::kBody) return;
    if (failed) return self->close();
    self->read_body();
  });
}

void Connection::read_body() {
  http::async_read(socket_, in_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
    if (self->phase_ != Phase::kBody) return;
    if (error) return self->fail(error);
    self->dispatch();
  });
}

void Connection::fail(error_code error) {
  if (error == http::error::header_limit)
    return refuse(431, "the headers are longer than " + std::to_string(network_.limits.header_bytes) + " bytes");
  if (error == http::error::body_limit)
    return refuse(413, "the body is longer than " + std::to_string(network_.limits.body_bytes) + " bytes");
  if (error == http::error::end_of_stream || error == http::error::partial_message) return close();
  if (error.category() == http::make_error_code(http::error::bad_method).category())
    return refuse(400, "that is no HTTP: " + error.message());
  close();
}

void Connection::refuse(int status, std::string sentence) {
  begin_answer(false)->send(network_.application.failure(status, std::move(sentence)));
}

void Connection::dispatch() {
  request_.body = std::move(parser_->get().body());
  request_.hold = std::move(body_room_);
  auto reply = begin_answer(true);
  network_.application.handle(std::move(request_), std::move(reply));
}

// `whole_request`: nothing of this request is still to come.
std::shared_ptr<Exchange> Connection::begin_answer(bool whole_request) {
  phase_ = Phase::kAnswer;
  self_ = shared_from_this();
  reusable_ = whole_request;
  pipelined_ = in_.size() > 0;
  taken_ = {};
  last_write_ = Clock::now();
  set_timer(kTick);
  const std::weak_ptr<Connection> weak = weak_from_this();
  const bool version_11 = parser_ && parser_->is_header_done() && parser_->get().version() >= 11;
  Framing framing;
  framing.body = request_.method != "HEAD";
  framing.chunked = version_11;
  framing.keep_alive = whole_request && !network_.draining && parser_->keep_alive();
  outbox_ = std::make_shared<Outbox>(framing, network_.limits.unread_bytes, [weak, &io = network_.io] {
    asio::post(io, [weak] {
      if (const auto self = weak.lock()) self->flush();
    });
  });
  watch();
  return std::make_shared<Exchange>(outbox_, [&application = network_.application] {
    return application.failure(500, "the request wasn't answered");
  });
}

void Connection::flush() {
  if (writing_ || phase_ != Phase::kAnswer || !outbox_) return;
  taken_ = outbox_->take();
  out_ = std::move(taken_.bytes);
  written_ = 0;
  last_write_ = Clock::now();
  write_some();
}

void Connection::write_some() {
  if (written_ == out_.size()) {
    writing_ = false;
    out_.clear();
    if (taken_.end == Outbox::End::kBroken) return close();
    if (taken_.end == Outbox::End::kWhole) return answered();
    return;
  }
  writing_ = true;
  const auto rest = asio::buffer(out_.data() + written_, out_.size() - written_);
  socket_.async_write_some(rest, [self = shared_from_this()](error_code error, std::size_t bytes) {
    if (self->phase_ != Phase::kAnswer) return;
    if (error) return self->close();
    self->written_ += bytes;
    self->last_write_ = Clock::now();
    self->write_some();
    self->flush();
  });
}

void Connection::answered() {
  outbox_.reset();
  if (!reusable_) return linger();
  if (!taken_.keep_alive || network_.draining) {
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    return close();
  }
  wait_for_request(network_.limits.idle_time);
}

// What a client is still sending is thrown away for a while: ended at once, the system would tell it that the
// connection broke, and it might never see the answer.
void Connection::linger() {
  phase_ = Phase::kLinger;
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  set_timer(kLingerTime);
  discarded_.resize(std::size_t{64} << 10);
  throw_away(0);
}

void Connection::throw_away(std::size_t so_far) {
  socket_.async_read_some(asio::buffer(discarded_),
                          [self = shared_from_this(), so_far](error_code error, std::size_t bytes) {
                            if (self->phase_ != Phase::kLinger) return;
                            if (error || so_far + bytes > kLingerBytes) return self->close();
                            self->throw_away(so_far + bytes);
                          });
}

// While an answer is made, nothing is read from the client but that it has gone.
void Connection::watch() {
  if (watching_ || pipelined_) return;
  watching_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](error_code error) {
    self->watching_ = false;
    if (self->phase_ != Phase::kAnswer) return;
    if (error) return self->close();
    self->watched();
  });
}

void Connection::watched() {
  char byte = 0;
  const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got > 0) {
    pipelined_ = true;  // tick() looks from now on
    return;
  }
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) return close();
  watch();
}

bool Connection::hung_up() const noexcept {
  pollfd file{const_cast<Socket&>(socket_).native_handle(), POLLRDHUP, 0};
  return ::poll(&file, 1, 0) > 0 && (file.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void Connection::set_timer(Clock::duration time) {
  timer_.expires_after(time);
  timer_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->timer_.expiry() > Clock::now()) return;
    self->timer_fired();
  });
}

void Connection::timer_fired() {
  switch (phase_) {
    case Phase::kHead:
    case Phase::kBody:
      socket_.cancel();
      return refuse(408, "the request didn't come in time");
    case Phase::kAnswer:
      return tick();
    default:
      return close();
  }
}

void Connection::tick() {
  const auto silent = Clock::now() - last_write_;
  if (writing_ && silent > network_.limits.write_time) return close();
  if (pipelined_ && hung_up()) return close();
  if (!writing_ && silent > network_.limits.heartbeat_time) send_heartbeat();
  if (phase_ == Phase::kAnswer) set_timer(kTick);
}

// Of a stream that hasn't begun, its head goes in front of it.
void Connection::send_heartbeat() {
  outbox_->begin();
  taken_ = outbox_->take();
  out_ = std::move(taken_.bytes);
  if (taken_.end == Outbox::End::kNone) out_ += taken_.heartbeat;
  written_ = 0;
  last_write_ = Clock::now();
  write_some();
}

void Connection::close() {
  if (std::exchange(phase_, Phase::kClosed) == Phase::kClosed) return;
  const auto until_the_end = std::move(self_);
  if (outbox_) outbox_->lose();
  outbox_.reset();
  body_room_.reset();
  timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
  const auto of_peer = network_.of_peer.find(peer_);
  if (of_peer != network_.of_peer.end() && --of_peer->second == 0) network_.of_peer.erase(of_peer);
  network_.open.erase(place_);
  network_.count = network_.open.size();
  if (network_.draining && network_.open.empty()) network_.io.stop();
}

}  // namespace lfm::serve
