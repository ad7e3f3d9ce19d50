// The module: HTTP by libcurl.
#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "hub/module/module.h"

namespace lfm::hub {
namespace {

constexpr long kConnectSeconds = 20;
// Slower than that for that long is no connection any more.
constexpr long kLeastBytesPerSecond = 1024;
constexpr long kPatienceSeconds = 60;
constexpr long kBufferBytes = 512L << 10;
constexpr const char* kUserAgent = "lfm/" LFM_VERSION;

struct Exchange {
  CURL* curl;
  const std::string& address;
  const Receiver& receiver;
  Head head;
  bool told = false;   // of the head
  bool ended = false;  // by the receiver
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string trimmed(std::string_view text) {
  constexpr const char* kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == text.npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
}

// What a link on that page leads to; empty where it is none. (curl knows only when the whole answer is there.)
std::string resolved(const std::string& page, const std::string& link) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  char* text = nullptr;
  if (link.empty() || curl_url_set(url.get(), CURLUPART_URL, page.c_str(), 0) != CURLUE_OK ||
      curl_url_set(url.get(), CURLUPART_URL, link.c_str(), 0) != CURLUE_OK ||
      curl_url_get(url.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) {
    return {};
  }
  std::string out(text);
  curl_free(text);
  return out;
}

// A line of a head. One answer may have several heads, of which the last counts.
std::size_t take_line(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) exchange.head.fields.clear();
  if (const std::size_t colon = line.find(':'); colon != line.npos)
    exchange.head.fields[lower(line.substr(0, colon))] = trimmed(line.substr(colon + 1));
  return size;
}

bool tell_head(Exchange& exchange) {
  if (exchange.told) return !exchange.ended;
  exchange.told = true;
  long status = 0;
  curl_easy_getinfo(exchange.curl, CURLINFO_RESPONSE_CODE, &status);
  exchange.head.status = static_cast<int>(status);
  exchange.head.redirect = resolved(exchange.address, exchange.head.field("location"));
  exchange.ended = !exchange.receiver.head(exchange.head);
  return !exchange.ended;
}

std::size_t take_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (!tell_head(exchange)) return 0;
  exchange.ended = !exchange.receiver.body({data, size});
  return exchange.ended ? 0 : size;
}

bool is_hopeless(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return true;
    default:
      return false;
  }
}

class CurlTransport final : public Transport {
 public:
  CurlTransport() : curl_(curl_easy_init()) {}
  ~CurlTransport() override { curl_easy_cleanup(curl_); }
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  bool made() const noexcept { return curl_ != nullptr; }

  Status get(const Request& request, const Receiver& receiver) override {
    curl_easy_reset(curl_);  // the connection stays
    Exchange exchange{curl_, request.address, receiver, {}};
    char reason[CURL_ERROR_SIZE] = "";
    set(CURLOPT_ERRORBUFFER, reason);
    set(CURLOPT_URL, request.address.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, kUserAgent);
    set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    set(CURLOPT_LOW_SPEED_LIMIT, kLeastBytesPerSecond);
    set(CURLOPT_LOW_SPEED_TIME, kPatienceSeconds);
    set(CURLOPT_BUFFERSIZE, kBufferBytes);
    set(CURLOPT_HEADERFUNCTION, take_line);
    set(CURLOPT_HEADERDATA, &exchange);
    set(CURLOPT_WRITEFUNCTION, take_body);
    set(CURLOPT_WRITEDATA, &exchange);
    if (!request.token.empty()) {
      set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
      set(CURLOPT_XOAUTH2_BEARER, request.token.c_str());
    }
    // Not CURLOPT_RESUME_FROM_LARGE, which makes an error of an answer that begins at the first byte.
    const std::string range = std::to_string(request.from) + "-";
    if (request.from > 0) set(CURLOPT_RANGE, range.c_str());
    const CURLcode code = curl_easy_perform(curl_);
    if (!exchange.head.fields.empty()) tell_head(exchange);
    if (code == CURLE_OK || exchange.ended) return {};
    return Error{is_hopeless(code) ? ErrorCode::kUnsupported : ErrorCode::kIo,
                 reason[0] != '\0' ? reason : curl_easy_strerror(code)};
  }

 private:
  template <typename Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(curl_, option, value);
  }

  CURL* const curl_;
};

}  // namespace
}  // namespace lfm::hub

lfm::hub::Transport* lfm_hub_transport(const char* version) {
  if (std::string_view(version) != LFM_VERSION || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return nullptr;
  static lfm::hub::CurlTransport transport;
  return transport.made() ? &transport : nullptr;
}
