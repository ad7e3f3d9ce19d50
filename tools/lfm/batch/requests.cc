#include "batch/requests.h"

#include <charconv>
#include <filesystem>
#include <unordered_set>
#include <utility>

#include "base/try.h"
#include "serve/fields.h"
#include "talk/json_text.h"

namespace lfm::batch {
namespace {

using serve::Fields;
using serve::Json;

std::string at_line(const std::string& path, std::size_t line) {
  return path + ", line " + std::to_string(line);
}

Result<std::string> needed(const Fields& fields, const char* name) {
  LFM_ASSIGN(const auto text, fields.text(name));
  if (!text || text->empty()) return serve::wrong(name, "is missing");
  return *text;
}

// Addresses may be whole ones, as of the server that they were written for.
std::string path_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const std::size_t slash = url.find('/', scheme + 3);
  return slash == std::string::npos ? "/" : url.substr(slash);
}

Result<Request> request_of(const Json& json) {
  if (!json.is_object()) return Error{ErrorCode::kFormat, "isn't an object"};
  const Fields fields(json);
  Request out;
  LFM_ASSIGN(out.id, needed(fields, "custom_id"));
  LFM_ASSIGN(const auto method, fields.text("method"));
  out.method = method.value_or("POST");
  LFM_ASSIGN(const std::string url, needed(fields, "url"));
  out.path = path_of(url);
  LFM_ASSIGN(const Json* const body, fields.object("body"));
  if (body == nullptr) return serve::wrong("body", "is missing");
  out.body = serve::json_text(*body);
  return out;
}

}  // namespace

std::string read_shard(const std::string& typed, Shard& shard) {
  constexpr const char* kWrong = "expected one of several, counted from 1, such as 2/8";
  const std::size_t slash = typed.find('/');
  if (slash == std::string::npos) return kWrong;
  const auto number = [&](std::string_view text, std::size_t& out) {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
    return code == std::errc() && end == text.data() + text.size();
  };
  const std::string_view text = typed;
  const bool good = number(text.substr(0, slash), shard.number) && number(text.substr(slash + 1), shard.of);
  return good && shard.number >= 1 && shard.number <= shard.of ? "" : kWrong;
}

Result<Request> Requests::parse(std::string_view text, std::size_t line) const {
  auto json = cli::parse_json(text);
  auto request = json.ok() ? request_of(*json) : Result<Request>(json.error());
  if (request.ok()) return request;
  Error error = std::move(request).error();
  error.code = ErrorCode::kFormat;
  error.message = (error.field.empty() ? "" : error.field + " ") + error.message;
  error.field = at_line(path_, line);
  return error;
}

Result<Requests> Requests::open(const std::string& path, Shard shard) {
  std::error_code code;
  if (!std::filesystem::is_regular_file(path, code)) {
    if (code) return Error{ErrorCode::kIo, code.message(), path};
    return Error{ErrorCode::kArgument, "is no file: a batch is read again where it is taken up", path};
  }
  Requests out(path, std::ifstream(path, std::ios::binary));
  if (!out.file_) return Error{ErrorCode::kIo, "can't be read", path};
  std::unordered_set<std::string> ids;
  std::uint64_t offset = 0;
  std::size_t requests = 0;
  std::string text;
  for (std::size_t line = 1; std::getline(out.file_, text); ++line) {
    const std::uint64_t at = std::exchange(offset, offset + text.size() + 1);
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    LFM_ASSIGN(Request request, out.parse(text, line));
    if (!ids.insert(request.id).second) {
      return Error{ErrorCode::kArgument, "the custom_id \"" + request.id + "\" was there before", at_line(path, line)};
    }
    if (requests++ % shard.of == shard.number - 1) out.places_.push_back({at, line, std::move(request.id)});
  }
  if (out.file_.bad()) return Error{ErrorCode::kIo, "can't be read", path};
  return out;
}

Result<Request> Requests::read(std::size_t i) {
  const Place& place = places_[i];
  std::string text;
  file_.clear();
  file_.seekg(static_cast<std::streamoff>(place.offset));
  if (!std::getline(file_, text)) return Error{ErrorCode::kIo, "can't be read", path_};
  LFM_ASSIGN(Request request, parse(text, place.line));
  if (request.id != place.id)
    return Error{ErrorCode::kFormat, "was changed while it was worked on", at_line(path_, place.line)};
  return request;
}

}  // namespace lfm::batch
