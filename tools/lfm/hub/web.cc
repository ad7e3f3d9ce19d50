#include "hub/web.h"

#include <algorithm>
#include <charconv>
#include <thread>
#include <utility>

#include "base/file.h"
#include "base/try.h"

namespace lfm::hub {
namespace {

constexpr int kMostRedirects = 8;
constexpr std::size_t kMostPages = 100;
constexpr std::size_t kMostAnswer = std::size_t{32} << 20;
constexpr std::size_t kMostRefusal = std::size_t{64} << 10;
constexpr long kMostSecondsToWait = 10;

bool redirects(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

long seconds_to_wait(const Head& head) {
  const std::string text = head.field("retry-after");
  long seconds = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return code == std::errc() && seconds > 0 ? seconds : 0;
}

// The address of the next page in a Link field: <https://...>; rel="next"
std::string next_page(const Head& head) {
  const std::string link = head.field("link");
  const std::size_t rel = link.find("rel=\"next\"");
  if (rel == link.npos) return {};
  const std::size_t begin = link.rfind('<', rel);
  const std::size_t end = link.find('>', begin == link.npos ? rel : begin);
  return begin == link.npos || end == link.npos ? "" : link.substr(begin + 1, end - begin - 1);
}

// And no redirect or refusal.
bool is_answer(const Head& head) {
  return head.status == 200 || head.status == 206 || head.status == 416;
}

bool is_secure(const std::string& address) {
  return origin_of(address).starts_with("https:");
}

std::string host_of(const std::string& address) {
  const std::string origin = origin_of(address);
  const std::size_t begin = origin.find("://") + 3;
  return origin.substr(begin, origin.rfind(':') - begin);
}

// What a proxy's or a mirror's word on it is may say more than a status.
std::string in_brackets(int status, const std::string& said) {
  return " (" + std::to_string(status) + (said.empty() ? "" : ": " + said) + ")";
}

}  // namespace

std::string escaped(const std::string& path) {
  constexpr std::string_view kPlain = "-._~/";
  std::string text;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || kPlain.find(c) != kPlain.npos) {
      text += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text += {'%', "0123456789ABCDEF"[byte >> 4], "0123456789ABCDEF"[byte & 15]};
    }
  }
  return text;
}

Error Web::refusal(const Name& name, const Head& head, const std::string& body) {
  const std::string what = head.field("x-error-code");
  const std::string said = in_brackets(head.status, read_refusal(body));
  const std::string page = environment_.endpoint + "/" + name.repository;
  const std::string& token = environment_.token;
  const auto error = [&](ErrorCode code, std::string message) { return Error{code, std::move(message), name.text()}; };
  const bool gated = what == "GatedRepo" || (head.status == 403 && what.empty());
  if (gated && (head.status == 401 || head.status == 403)) {
    if (token.empty())
      return error(ErrorCode::kArgument, "its authors ask for consent: log in at " + page +
                                             ", accept the terms, and set HF_TOKEN to a token of yours" + said);
    return error(ErrorCode::kArgument, "the token in " + token_place() + " doesn't open it: accept the terms at " +
                                           page + " with its account, and let the token read gated repositories" +
                                           said);
  }
  switch (head.status) {
    case 401:
    case 403:
    case 404:
      if (what == "RevisionNotFound")
        return error(ErrorCode::kArgument, "it has no branch, tag or commit " + name.revision);
      if (what == "EntryNotFound") return error(ErrorCode::kArgument, "a file that it lists isn't there" + said);
      if (head.status != 404 && !token.empty() && what != "RepoNotFound")
        return error(ErrorCode::kArgument, "the hub doesn't take the token in " + token_place() +
                                               ": there are new ones at " + environment_.endpoint + "/settings/tokens" +
                                               said);
      return error(ErrorCode::kArgument,
                   "there is no such repository at " + environment_.endpoint +
                       (token.empty() ? ", or a private one, for which HF_TOKEN is needed"
                                      : ", or a private one that the token in " + token_place() + " doesn't open"));
    case 429:
      seconds_to_wait_ = seconds_to_wait(head);
      return error(ErrorCode::kState,
                   "the hub wants fewer requests" + said + ": try again " +
                       (seconds_to_wait_ > 0 ? "in " + std::to_string(seconds_to_wait_) + " s" : "later") +
                       (token.empty() ? "; with a token in HF_TOKEN it allows more" : ""));
    default:
      return error(head.status >= 500 ? ErrorCode::kIo : ErrorCode::kFormat,
                   head.status >= 500 ? "the hub has a problem of its own" + said + "; try again later"
                                      : "an answer that makes no sense here" + said);
  }
}

std::string Web::token_place() const {
  return base::printable(environment_.token_place);
}

Status Web::exchange(const Name& name, std::string address, std::uint64_t from, const Receiver& receiver) {
  const std::string hub = origin_of(environment_.endpoint);
  for (int i = 0; i < kMostRedirects; ++i) {
    const std::string origin = origin_of(address);
    if (origin.empty())
      return Error{ErrorCode::kFormat, "the hub leads to an address that isn't safe: " + base::printable(address),
                   name.text()};
    Head last;
    std::string refused;
    const Receiver first{[&](const Head& head) {
                           last = head;
                           if (redirects(head.status)) return false;
                           return !is_answer(head) || receiver.head(head);
                         },
                         [&](std::string_view bytes) {
                           if (is_answer(last)) return receiver.body(bytes);
                           refused += bytes.substr(0, kMostRefusal - refused.size());
                           return refused.size() < kMostRefusal;
                         }};
    const Status status = transport_.get({address, origin == hub ? environment_.token : "", from}, first);
    // Where the answer was a refusal, its end doesn't matter.
    if (!status.ok() && (last.status == 0 || is_answer(last))) {
      const char* const what = last.status == 0 ? "cannot reach it: " : "the connection broke off: ";
      return Error{status.error().code, what + base::printable(status.error().message), host_of(address)};
    }
    if (is_answer(last)) return {};
    if (!redirects(last.status)) return refusal(name, last, refused);
    if (is_secure(address) && !is_secure(last.redirect)) last.redirect.clear();
    address = std::move(last.redirect);
  }
  return Error{ErrorCode::kFormat, "the hub redirects without end", name.text()};
}

bool Web::again(const Error& error, int tried, int tries) const {
  const bool later = error.code == ErrorCode::kState && seconds_to_wait_ > 0 && seconds_to_wait_ <= kMostSecondsToWait;
  if ((!later && error.code != ErrorCode::kIo) || tried + 1 >= tries) return false;
  std::this_thread::sleep_for(later ? std::chrono::seconds(seconds_to_wait_)
                                    : std::chrono::milliseconds(patience_.wait * (1 << tried)));
  return true;
}

// A whole answer; `next` is its next page.
Result<std::string> Web::read(const Name& name, const std::string& address, std::string& next) {
  for (int tried = 0;; ++tried) {
    std::string body;
    const Status status = exchange(name, address, 0,
                                   {[&](const Head& head) {
                                      next = next_page(head);
                                      return true;
                                    },
                                    [&](std::string_view bytes) {
                                      body += bytes;
                                      return body.size() <= kMostAnswer;
                                    }});
    if (body.size() > kMostAnswer) return Error{ErrorCode::kLimit, "the hub's answer is too long", name.text()};
    if (status.ok()) return body;
    if (!again(status.error(), tried, Patience::kAnswers)) return status.error();
  }
}

Result<std::string> Web::commit(const Name& name) {
  if (is_commit(name.revision)) return name.revision;
  std::string next;
  LFM_ASSIGN(
      const std::string answer,
      read(name, environment_.endpoint + "/api/models/" + name.repository + "/revision/" + escaped(name.revision),
           next));
  return read_commit(answer);
}

Result<std::vector<RemoteFile>> Web::files(const Name& name, const std::string& commit) {
  std::vector<RemoteFile> files;
  std::string next = environment_.endpoint + "/api/models/" + name.repository + "/tree/" + commit + "?recursive=true";
  for (std::size_t pages = 0; !next.empty(); ++pages) {
    if (pages == kMostPages) return Error{ErrorCode::kLimit, "the hub's list has no end", name.text()};
    const std::string address = std::exchange(next, "");
    LFM_ASSIGN(const std::string answer, read(name, address, next));
    LFM_ASSIGN(std::vector<RemoteFile> page, read_tree(answer));
    files.insert(files.end(), std::make_move_iterator(page.begin()), std::make_move_iterator(page.end()));
  }
  return files;
}

Status Web::get(const Name& name, const std::string& commit, const std::string& path, std::uint64_t from,
                const Receiver& receiver) {
  return exchange(name, environment_.endpoint + "/" + name.repository + "/resolve/" + commit + "/" + escaped(path),
                  from, receiver);
}

}  // namespace lfm::hub
