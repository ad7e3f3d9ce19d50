#include "serve/http/access.h"

#include <arpa/inet.h>

#include <algorithm>

#include "input.h"
#include "serve/http/words.h"

namespace lfm::serve {
namespace {

bool is_address(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

// The name in "name:80" and in "[::1]:80".
std::string host_name(std::string_view host) {
  if (host.starts_with('[')) return std::string(host.substr(1, host.find(']') - 1));
  return std::string(host.substr(0, host.find(':')));
}

bool is_local_name(std::string_view name) {
  constexpr std::string_view kTop = ".localhost";
  if (same_word(name, "localhost")) return true;
  return name.size() > kTop.size() && same_word(name.substr(name.size() - kTop.size()), kTop);
}

// Takes the same time wherever they differ.
bool same_secret(std::string_view a, std::string_view b) {
  unsigned different = a.size() != b.size();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char other = b.empty() ? '\0' : b[i % b.size()];
    different |= static_cast<unsigned>(static_cast<unsigned char>(a[i] ^ other));
  }
  return different == 0;
}

bool among(const std::vector<std::string>& all, std::string_view one) {
  return std::any_of(all.begin(), all.end(), [one](const std::string& each) { return same_word(each, one); });
}

}  // namespace

// A page whose own name is made to lead to this machine ("DNS rebinding") sends that name; addresses can't be made to.
bool Access::is_ours(std::string_view host) const {
  const std::string name = host_name(host);
  return is_address(name) || is_local_name(name) || among(rules_.hosts, name) || among(rules_.hosts, host);
}

// A page of this server's, of a listed one, or no page at all.
bool Access::may_ask(const Request& head) const {
  const std::string_view origin = head.header("Origin");
  if (origin.empty() || among(rules_.origins, "*") || among(rules_.origins, origin)) return true;
  const std::string_view host = head.header("Host");
  return same_word(origin, "http://" + std::string(host)) || same_word(origin, "https://" + std::string(host));
}

bool Access::has_key(const Request& head) const {
  constexpr std::string_view kBearer = "Bearer ";
  std::string_view key = head.header("Authorization");
  if (key.size() >= kBearer.size() && same_word(key.substr(0, kBearer.size()), kBearer)) {
    key = trimmed(key.substr(kBearer.size()));
  } else {
    key = head.header("X-Api-Key");
  }
  bool found = false;
  for (const std::string& one : rules_.keys) found |= same_secret(key, one);
  return found;
}

std::optional<ApiError> Access::refuse(const Request& head, bool open) const {
  const std::string_view host = head.header("Host");
  // Where there is a key, it is what protects; whoever comes through a Unix socket is no page.
  if (!head.local && rules_.keys.empty() && !host.empty() && !is_ours(host)) {
    return ApiError{403, "this server isn't called '" + std::string(host) + "'; --allow-host names it so", "Host"};
  }
  if (!may_ask(head)) {
    return ApiError{403, "pages of '" + std::string(head.header("Origin")) + "' may not ask; --cors-origins lets them",
                    "Origin"};
  }
  // A browser asks without the key whether it may ask with it.
  if (open || rules_.keys.empty() || head.method == "OPTIONS" || has_key(head)) return std::nullopt;
  return ApiError{401, "the key is missing or wrong: send 'Authorization: Bearer KEY'", "Authorization"};
}

Headers Access::for_page(const Request& head) const {
  const std::string_view origin = head.header("Origin");
  if (origin.empty() || rules_.origins.empty() || !may_ask(head)) return {};
  Headers headers = {{"Access-Control-Allow-Origin", std::string(origin)}, {"Vary", "Origin"}};
  if (head.method != "OPTIONS") return headers;
  headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
  const std::string_view asked = head.header("Access-Control-Request-Headers");
  const bool plain = std::all_of(asked.begin(), asked.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!asked.empty() && plain) headers.emplace_back("Access-Control-Allow-Headers", std::string(asked));
  headers.emplace_back("Access-Control-Max-Age", "600");
  return headers;
}

Result<std::vector<std::string>> read_keys(const std::string& path) {
  auto text = cli::read_input(path);
  if (!text.ok()) return std::move(text).error();
  std::vector<std::string> keys;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    std::string_view line = std::string_view(*text).substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = trimmed(line);
    if (!line.empty() && line[0] != '#') keys.emplace_back(line);
    at = end + 1;
  }
  if (keys.empty()) return Error{ErrorCode::kArgument, "has no key in it", path};
  return keys;
}

bool is_loopback(std::string_view host) {
  const std::string name = host_name(
      host.find(':') != host.rfind(':') && !host.starts_with('[') ? "[" + std::string(host) + "]" : std::string(host));
  return is_local_name(name) || name == "::1" || (name.starts_with("127.") && is_address(name));
}

}  // namespace lfm::serve
