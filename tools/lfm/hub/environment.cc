#include "hub/environment.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <optional>

namespace lfm::hub {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string first_of(std::initializer_list<const char*> names) {
  for (const char* const name : names) {
    if (std::string value = variable(name); !value.empty()) return value;
  }
  return {};
}

std::string below(const std::string& folder, const char* name) {
  return folder.empty() ? "" : folder + name;
}

// "~/models" is the user's folder here too: these variables come from files that no shell reads.
std::string with_home(const std::string& path) {
  const std::string home = variable("HOME");
  return path.starts_with("~/") && !home.empty() ? home + path.substr(1) : path;
}

std::string home_folder() {
  if (const std::string set = variable("HF_HOME"); !set.empty()) return with_home(set);
  if (const std::string set = variable("XDG_CACHE_HOME"); !set.empty()) return set + "/huggingface";
  return below(variable("HOME"), "/.cache/huggingface");
}

bool is_on(std::string value) {
  std::transform(value.begin(), value.end(), value.begin(), [](unsigned char c) { return std::tolower(c); });
  return value == "1" || value == "true" || value == "yes" || value == "on";
}

std::string trimmed(const std::string& text) {
  constexpr const char* kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string line_of(const std::string& path) {
  std::string line;
  std::getline(std::ifstream(path), line);
  return line;
}

bool is_this_machine(std::string_view host) {
  constexpr std::array<std::string_view, 3> kNames = {"localhost", "127.0.0.1", "[::1]"};
  return std::find(kNames.begin(), kNames.end(), host) != kNames.end();
}

}  // namespace

std::string origin_of(std::string_view address) {
  std::string text(address.substr(0, address.find_first_of("/?#", address.find("://") + 3)));
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  const bool secure = text.starts_with("https://");
  const std::size_t begin = secure ? 8 : 7;
  if (!secure && !text.starts_with("http://")) return {};
  const std::string_view authority = std::string_view(text).substr(begin);
  // Behind the last colon, but not one within the brackets of an IPv6 address.
  const std::size_t bracket = std::min(authority.find(']'), authority.size());
  const std::size_t colon = authority.find(':', bracket == authority.size() ? 0 : bracket);
  const std::string_view host = authority.substr(0, colon);
  const bool odd = std::any_of(authority.begin(), authority.end(),
                               [](char c) { return c <= ' ' || c == 0x7f || c == '@' || c == '\\' || c == '%'; });
  if (odd || host.empty() || (!secure && !is_this_machine(host))) return {};
  return colon != authority.npos ? text : text + (secure ? ":443" : ":80");
}

Result<Environment> environment() {
  Environment out;
  const std::string home = home_folder();
  out.endpoint = first_of({"HF_ENDPOINT"});
  if (out.endpoint.empty()) out.endpoint = "https://huggingface.co";
  while (out.endpoint.ends_with('/')) out.endpoint.pop_back();
  if (origin_of(out.endpoint).empty())
    return Error{ErrorCode::kArgument, "expected an address that begins with https:// (http:// for this machine alone)",
                 "HF_ENDPOINT"};
  out.cache = with_home(first_of({"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}));
  if (out.cache.empty()) out.cache = below(home, "/hub");
  out.offline = is_on(variable("HF_HUB_OFFLINE")) || is_on(variable("TRANSFORMERS_OFFLINE"));

  out.token_place = "HF_TOKEN";
  out.token = trimmed(first_of({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}));
  if (out.token.empty()) {
    out.token_place = with_home(variable("HF_TOKEN_PATH"));
    if (out.token_place.empty()) out.token_place = below(home, "/token");
    out.token = trimmed(line_of(out.token_place));
  }
  if (std::any_of(out.token.begin(), out.token.end(), [](char c) { return c <= ' ' || c >= 0x7f; }))
    return Error{ErrorCode::kArgument, "the token in it has characters that no token has", out.token_place};
  return out;
}

}  // namespace lfm::hub
