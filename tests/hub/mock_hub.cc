#include "mock_hub.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "hub/digest.h"

namespace lfm::test {
namespace {

constexpr std::size_t kSha1 = 40;
constexpr std::size_t kSha256 = 64;

int listen_on_a_port(int& port) {
  const int file = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (file < 0 || ::bind(file, any, size) != 0 || ::listen(file, 64) != 0 || ::getsockname(file, any, &size) != 0)
    throw std::runtime_error("no port");
  port = ntohs(address.sin_port);
  return file;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void send_answer(int socket, int status, const std::map<std::string, std::string>& fields, std::string_view body) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " Whatever\r\nConnection: close\r\n";
  for (const auto& [name, value] : fields) head += name + ": " + value + "\r\n";
  send_all(socket, head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
}

std::string field(const std::string& head, const std::string& name) {
  const std::size_t at = head.find("\r\n" + name + ": ");
  if (at == head.npos) return {};
  const std::size_t begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::string read_request(int socket, HubRequest& request) {
  std::string bytes;
  char buffer[4096];
  std::size_t end;
  while ((end = bytes.find("\r\n\r\n")) == bytes.npos) {
    const ssize_t n = ::recv(socket, buffer, sizeof buffer, 0);
    if (n <= 0) return {};
    bytes.append(buffer, static_cast<std::size_t>(n));
  }
  std::string head = bytes.substr(0, end + 2);
  // Names of fields as curl and as node write them.
  const auto either = [&](const char* name, const char* lower) {
    const std::string value = field(head, name);
    return value.empty() ? field(head, lower) : value;
  };
  const std::string length = either("Content-Length", "content-length");
  std::string body = bytes.substr(end + 4);
  while (!length.empty() && body.size() < std::stoul(length)) {
    const ssize_t n = ::recv(socket, buffer, sizeof buffer, 0);
    if (n <= 0) return {};
    body.append(buffer, static_cast<std::size_t>(n));
  }
  request.method = head.substr(0, head.find(' '));
  const std::size_t target = request.method.size() + 1;
  request.target = head.substr(target, head.find(' ', target) - target);
  const std::string authorization = either("Authorization", "authorization");
  if (authorization.starts_with("Bearer ")) request.token = authorization.substr(7);
  request.range = either("Range", "range");
  return body.empty() ? " " : body;
}

std::string entry(const HubFile& file) {
  const std::string digest = MockHub::digest(file);
  const std::string size = std::to_string(file.bytes.size());
  return R"({"type":"file","path":")" + file.path + R"(","size":)" + size + R"(,"oid":")" +
         (file.large ? std::string(kSha1, '1') : digest) + "\"" +
         (file.large ? R"(,"lfs":{"oid":")" + digest + R"(","size":)" + size + R"(,"pointerSize":135})" : "");
}

}  // namespace

MockHub::MockHub() {
  for (const int i : {0, 1}) {
    listening_[i] = listen_on_a_port(ports_[i]);
    serving_.emplace_back([this, i] { serve(listening_[i], i == 1); });
  }
}

MockHub::~MockHub() {
  ended_ = true;
  for (std::thread& thread : serving_) thread.join();
  for (std::thread& thread : answering_) thread.join();
  for (const int file : listening_) ::close(file);
}

void MockHub::set(const std::string& commit, std::vector<HubFile> files) {
  const std::lock_guard lock(mutex_);
  commit_ = commit;
  commits_[commit] = std::move(files);
}

void MockHub::set_faults(std::function<HubFault(const HubRequest&)> faults) {
  const std::lock_guard lock(mutex_);
  faults_ = std::move(faults);
}

std::vector<HubRequest> MockHub::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t MockHub::count(const std::string& part) const {
  const auto all = requests();
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [&](const HubRequest& request) { return request.target.find(part) != part.npos; }));
}

void MockHub::forget_requests() {
  const std::lock_guard lock(mutex_);
  requests_.clear();
}

std::string MockHub::digest(const HubFile& file) {
  hub::Digest digest(std::string(file.large ? kSha256 : kSha1, '0'), file.bytes.size());
  digest.add(file.bytes);
  return digest.finish();
}

void MockHub::serve(int listening, bool storage) {
  while (!ended_) {
    pollfd ready{listening, POLLIN, 0};
    if (::poll(&ready, 1, 20) <= 0) continue;
    const int socket = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const std::lock_guard lock(mutex_);
    answering_.emplace_back([this, socket, storage] {
      answer(socket, storage);
      ::close(socket);
    });
  }
}

std::string MockHub::tree(const std::vector<HubFile>& files) const {
  std::string list = R"([{"type":"directory","path":"folder","oid":"x","size":0})";
  for (const HubFile& file : files) list += "," + entry(file) + "}";
  return list + "]";
}

std::string MockHub::paths_info(const std::vector<HubFile>& files, const std::string& commit) const {
  std::string list = "[";
  for (const HubFile& file : files) {
    list += (list.size() > 1 ? "," : "") + entry(file) + R"(,"lastCommit":{"id":")" + commit +
            R"(","title":"","date":"2026-01-01T00:00:00Z"}})";
  }
  return list + "]";
}

void MockHub::answer(int socket, bool storage) {
  HubRequest request{.storage = storage, .method = {}, .target = {}, .token = {}, .range = {}};
  const std::string asked = read_request(socket, request);
  if (asked.empty()) return;
  HubFault fault;
  std::string main;
  std::map<std::string, std::vector<HubFile>> commits;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (faults_) fault = faults_(request);
    main = commit_;
    commits = commits_;
  }
  if (fault.status != 0) return send_answer(socket, fault.status, fault.fields, fault.body);
  const auto json = [&](const std::string& body) {
    send_answer(socket, 200, {{"Content-Type", "application/json"}}, fault.body.empty() ? body : fault.body);
  };
  const std::string api = std::string("/api/models/") + kRepository;
  if (request.target.starts_with(api + "/revision/") || request.target.starts_with(api + "?"))
    return json(
        R"({"id":"x","_id":"x","private":false,"gated":false,"likes":0,"downloads":0,"lastModified":"2026-01-01T00:00:00Z","sha":")" +
        main + "\"}");
  for (const auto& [commit, files] : commits) {
    const std::string revision = request.target.find("/main") != request.target.npos ? "main" : commit;
    if (revision == "main" && commit != main) continue;
    if (request.target.starts_with(api + "/tree/" + revision)) return json(tree(files));
    for (const HubFile& file : files) {
      const std::string path = std::string("/") + kRepository + "/resolve/" + revision + "/" + file.path;
      if (request.target.starts_with(api + "/paths-info/" + revision) &&
          asked.find('"' + file.path + '"') != asked.npos)
        return json(paths_info({file}, commit));
      if (request.target != path) continue;
      if (storage) return send_file(socket, request, fault, file);
      const std::string to = fault.redirect.empty() ? this->storage() + path : fault.redirect;
      return send_answer(socket, 302, {{"Location", to}, {"X-Repo-Commit", commit}, {"ETag", '"' + digest(file) + '"'}},
                         "Found");
    }
  }
  send_answer(socket, 404, {{"X-Error-Code", "RepoNotFound"}}, R"({"error":"Repository not found"})");
}

void MockHub::send_file(int socket, const HubRequest& request, const HubFault& fault, const HubFile& file) const {
  std::string bytes = file.bytes;
  if (fault.longer > 0) bytes.append(static_cast<std::size_t>(fault.longer), 'x');
  if (fault.longer < 0) bytes.resize(bytes.size() - std::min(bytes.size(), static_cast<std::size_t>(-fault.longer)));
  std::size_t from = 0;
  std::size_t last = bytes.empty() ? 0 : bytes.size() - 1;
  bool ranged = request.range.starts_with("bytes=") && fault.range != HubFault::Range::kIgnored;
  if (ranged) {
    from = std::stoul(request.range.substr(6));
    const std::string end = request.range.substr(request.range.find('-') + 1);
    if (!end.empty()) last = std::min<std::size_t>(last, std::stoul(end));
  }
  if (ranged && (from >= bytes.size() || fault.range == HubFault::Range::kNone))
    return send_answer(socket, 416, {{"Content-Range", "bytes */" + std::to_string(bytes.size())}}, "");
  std::size_t sent = from;
  if (fault.range == HubFault::Range::kOther && from > 0) sent = --from;  // and says so
  if (fault.range == HubFault::Range::kLie && from > 0) sent = 0;         // and doesn't
  std::string body = bytes.substr(sent, last + 1 - from);
  if (fault.wrong_byte && !body.empty()) body[body.size() / 2] ^= 1;
  const std::string range =
      "bytes " + std::to_string(from) + "-" + std::to_string(last) + "/" + std::to_string(bytes.size());
  const std::string head = std::string("HTTP/1.1 ") + (ranged ? "206 Partial" : "200 OK") +
                           "\r\nConnection: close\r\nETag: \"" + digest(file) +
                           "\"\r\nContent-Length: " + std::to_string(body.size()) +
                           (ranged ? "\r\nContent-Range: " + range : "") + "\r\n\r\n";
  if (!send_all(socket, head)) return;
  body.resize(std::min<std::size_t>(body.size(), fault.cut_after));
  for (std::size_t at = 0; at < body.size() && !ended_;) {
    const std::size_t n = speed_ > 0 ? std::min<std::size_t>(speed_, body.size() - at) : body.size();
    if (!send_all(socket, std::string_view(body).substr(at, n))) return;
    at += n;
    if (speed_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace lfm::test
