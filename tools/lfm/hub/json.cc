#include "hub/json.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/try.h"
#include "hub/name.h"

namespace lfm::hub {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kSha1 = 40;
constexpr std::size_t kSha256 = 64;
constexpr std::size_t kMostRefusal = 200;

Error not_understood(std::string what) {
  return Error{ErrorCode::kFormat, "the hub's answer can't be right: " + std::move(what)};
}

// A text member; empty where there is none.
std::string text_of(const Json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<RemoteFile> read_file(const Json& item) {
  RemoteFile file;
  file.path = text_of(item, "path");
  if (!stays_inside(file.path))
    return not_understood("it names a file '" + base::printable(file.path) +
                          "', which would lie outside of its folder");
  const auto large = item.find("lfs");
  const bool is_large = large != item.end() && large->is_object();
  file.digest = text_of(is_large ? *large : item, "oid");
  if (!is_hex(file.digest, is_large ? kSha256 : kSha1))
    return not_understood("the digest of " + base::printable(file.path) + " is '" + base::printable(file.digest) + "'");
  const auto size = item.find("size");
  if (size == item.end() || !size->is_number_unsigned())
    return not_understood("it has no size of " + base::printable(file.path));
  file.bytes = size->get<std::uint64_t>();
  return file;
}

Json read_json(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return Json::parse(bytes.str(), nullptr, false);
}

}  // namespace

Result<std::string> read_commit(std::string_view answer) {
  std::string commit = text_of(Json::parse(answer, nullptr, false), "sha");
  if (!is_commit(commit)) return not_understood("it names no commit");
  return commit;
}

Result<std::vector<RemoteFile>> read_tree(std::string_view answer) {
  const Json list = Json::parse(answer, nullptr, false);
  if (!list.is_array()) return not_understood("it is no list of files");
  std::vector<RemoteFile> files;
  for (const Json& item : list) {
    if (text_of(item, "type") != "file") continue;
    LFM_ASSIGN(RemoteFile file, read_file(item));
    files.push_back(std::move(file));
  }
  return files;
}

std::string read_refusal(std::string_view answer) {
  return base::printable(text_of(Json::parse(answer, nullptr, false), "error"), kMostRefusal);
}

Result<std::vector<std::string>> files_of_index(const std::string& path) {
  if (std::error_code code; !std::filesystem::exists(path, code)) return std::vector<std::string>{"model.safetensors"};
  const Json index = read_json(path);
  const auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (!index.is_object() || map == index.end() || !map->is_object())
    return Error{ErrorCode::kFormat, "no index of safetensors files", base::printable(path)};
  std::set<std::string> names;
  for (const auto& [tensor, file] : map->items()) {
    if (file.is_string()) names.insert(file.get<std::string>());
  }
  return std::vector<std::string>(names.begin(), names.end());
}

bool is_lfm2(const std::string& path) {
  return text_of(read_json(path), "model_type").starts_with("lfm2");
}

}  // namespace lfm::hub
