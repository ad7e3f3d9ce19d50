#include "serve/http/server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstring>
#include <exception>

#include "serve/http/connection.h"

namespace lfm::serve {
namespace {

using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;
using Socket = asio::generic::stream_protocol::socket;

constexpr int kBacklog = 1024;
constexpr std::chrono::milliseconds kAcceptPause(100);

Error refused(const error_code& error, const std::string& what) {
  return Error{ErrorCode::kIo, error.message(), what};
}

// As many files as the system lets us have: each connection is one.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string address_text(const Tcp::endpoint& at) {
  const std::string address = at.address().to_string();
  return "http://" + (at.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(at.port());
}

// Empty for those of this machine, whose connections aren't counted: a proxy's, say.
std::string counted_peer(const Tcp::socket& socket) {
  error_code error;
  const auto peer = socket.remote_endpoint(error);
  return error || peer.address().is_loopback() ? std::string() : peer.address().to_string();
}

class BeastServer final : public HttpServer, private Network {
 public:
  BeastServer(const HttpLimits& set, Application& answering) : Network(set, answering) {}
  ~BeastServer() override {
    end_all();
    if (!socket_path_.empty()) ::unlink(socket_path_.c_str());
  }

  Status listen(const Listen& where);

  std::vector<std::string> addresses() const override { return addresses_; }
  std::uint16_t port() const noexcept override { return port_; }
  std::size_t connections() const noexcept override { return count; }
  bool draining() const noexcept override { return Network::draining; }
  void run() override;
  void stop() override {
    asio::post(io, [this] { drain(); });
  }

 private:
  Status listen_tcp(const Listen& where);
  Status listen_local(const std::string& path);
  template <typename Acceptor>
  void accept(Acceptor& acceptor);
  void admit(Socket socket, std::string peer, bool local);
  bool evict(const std::string* peer);
  void wait_for_signal();
  void drain();
  void end_all();

  asio::signal_set signals_{io};
  asio::steady_timer drain_timer_{io};
  asio::steady_timer accept_timer_{io};
  std::list<Tcp::acceptor> tcp_;
  std::list<Local::acceptor> local_;
  std::string socket_path_;
  std::vector<std::string> addresses_;
  std::uint16_t port_ = 0;
};

Status BeastServer::listen(const Listen& where) {
  raise_file_limit();
  if (!where.host.empty()) {
    if (Status status = listen_tcp(where); !status.ok()) return status;
  }
  if (where.socket.empty()) return {};
  return listen_local(where.socket);
}

Status BeastServer::listen_tcp(const Listen& where) {
  error_code error;
  Tcp::resolver resolver(io);
  const auto found = resolver.resolve(where.host, std::to_string(where.port),
                                      Tcp::resolver::passive | Tcp::resolver::numeric_service, error);
  if (error) return Error{ErrorCode::kArgument, "is no address of this machine: " + error.message(), "--host"};
  error_code first_error;
  for (const auto& entry : found) {
    Tcp::endpoint at = entry.endpoint();
    if (port_ != 0) at.port(port_);  // one for all addresses of a name, where any will do
    Tcp::acceptor acceptor(io);
    acceptor.open(at.protocol(), error);
    if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error && at.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
    if (!error) acceptor.bind(at, error);
    if (!error) acceptor.listen(kBacklog, error);
    if (error) {
      if (!first_error) first_error = error;
      continue;
    }
    port_ = acceptor.local_endpoint().port();
    addresses_.push_back(address_text(acceptor.local_endpoint()));
    tcp_.push_back(std::move(acceptor));
  }
  if (tcp_.empty()) return refused(first_error, where.host + ":" + std::to_string(where.port));
  return {};
}

Status BeastServer::listen_local(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return Error{ErrorCode::kArgument, "is too long for the name of a socket", "--sock"};
  error_code error;
  const Local::endpoint at(path);
  // What an earlier server has left may go; one that is there answers.
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) return Error{ErrorCode::kArgument, "there is a file of that name", path};
    Local::socket probe(io);
    probe.connect(at, error);
    if (!error) return Error{ErrorCode::kIo, "another server is listening there", path};
    ::unlink(path.c_str());
  }
  Local::acceptor acceptor(io);
  acceptor.open(at.protocol(), error);
  // Nobody else may open it, not even for the moment between bind() and chmod().
  const mode_t mask = ::umask(0177);
  if (!error) acceptor.bind(at, error);
  ::umask(mask);
  if (!error) socket_path_ = path;
  if (!error) acceptor.listen(kBacklog, error);
  if (error) return refused(error, path);
  addresses_.push_back("unix:" + path);
  local_.push_back(std::move(acceptor));
  return {};
}

template <typename Acceptor>
void BeastServer::accept(Acceptor& acceptor) {
  using Protocol = typename Acceptor::protocol_type;
  acceptor.async_accept([this, &acceptor](error_code error, typename Protocol::socket socket) {
    if (!acceptor.is_open()) return;
    if (!error) {
      std::string peer;
      if constexpr (std::is_same_v<Protocol, Tcp>) {
        error_code ignored;
        socket.set_option(Tcp::no_delay(true), ignored);
        peer = counted_peer(socket);
      }
      admit(std::move(socket), std::move(peer), std::is_same_v<Protocol, Local>);
      return accept(acceptor);
    }
    // No more files, most likely.
    evict(nullptr);
    accept_timer_.expires_after(kAcceptPause);
    accept_timer_.async_wait([this, &acceptor](error_code) {
      if (acceptor.is_open()) accept(acceptor);
    });
  });
}

void BeastServer::admit(Socket socket, std::string peer, bool local) {
  const auto same = of_peer.find(peer);
  const bool too_many = same != of_peer.end() && same->second >= limits.connections_of_one;
  const bool full = (too_many && !evict(&peer)) || (count >= limits.connections && !evict(nullptr));
  const auto connection =
      std::make_shared<Connection>(static_cast<Network&>(*this), std::move(socket), std::move(peer), local);
  if (full) return connection->refuse(503, "there are as many connections as this server takes");
  connection->start();
}

// Makes room for another connection: the one goes that has waited longest for its client to say something. Whoever
// speaks at once is served, however many there are that don't.
bool BeastServer::evict(const std::string* peer) {
  for (const Phase phase : {Phase::kLinger, Phase::kIdle, Phase::kHead, Phase::kBody}) {
    for (Connection* const candidate : open) {
      if (candidate->phase() != phase || (peer != nullptr && candidate->peer() != *peer)) continue;
      candidate->close();
      return true;
    }
  }
  return false;
}

void BeastServer::wait_for_signal() {
  signals_.async_wait([this](error_code error, int) {
    if (error) return;
    if (Network::draining) return end_all();
    drain();
    wait_for_signal();
  });
}

void BeastServer::drain() {
  if (Network::draining.exchange(true)) return;
  error_code ignored;
  for (auto& acceptor : tcp_) acceptor.close(ignored);
  for (auto& acceptor : local_) acceptor.close(ignored);
  const std::list<Connection*> all = open;
  for (Connection* const connection : all) {
    if (connection->phase() == Phase::kIdle || connection->phase() == Phase::kHead) connection->close();
  }
  if (open.empty()) return io.stop();
  drain_timer_.expires_after(limits.drain_time);
  drain_timer_.async_wait([this](error_code error) {
    if (!error) end_all();
  });
}

void BeastServer::end_all() {
  const std::list<Connection*> all = open;
  for (Connection* const connection : all) connection->close();
  io.stop();
}

void BeastServer::run() {
  error_code ignored;
  signals_.add(SIGINT, ignored);
  signals_.add(SIGTERM, ignored);
  wait_for_signal();
  for (auto& acceptor : tcp_) accept(acceptor);
  for (auto& acceptor : local_) accept(acceptor);
  while (!io.stopped()) {
    try {
      io.run();
    } catch (const std::exception&) {
      // Memory for one connection, which has gone with what was thrown. The others go on.
    }
  }
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const Listen& where, const HttpLimits& limits,
                                                       Application& application) {
  auto server = std::make_unique<BeastServer>(limits, application);
  if (Status status = server->listen(where); !status.ok()) return std::move(status).error();
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace lfm::serve
