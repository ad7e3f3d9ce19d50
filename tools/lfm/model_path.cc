#include "model_path.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "hub/name.h"

namespace lfm::cli {
namespace {

namespace fs = std::filesystem;

bool ends_in(const fs::path& path, std::string_view suffix) {
  return path.extension().string() == suffix;
}

// Names of a folder's files with that suffix, in order.
std::vector<std::string> names_in(const fs::path& folder, std::string_view suffix) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
    if (ends_in(at->path(), suffix)) names.push_back(at->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// "a, b, c and 4 more"
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

std::string about_folder(const std::string& path) {
  if (fs::exists(fs::path(path) / "config.json")) return {};  // as Hugging Face has them
  const auto models = names_in(path, ".gguf");
  if (!models.empty()) return "is a folder; name the GGUF file in it: " + listed(models);
  if (!names_in(path, ".safetensors").empty())
    return "is a folder of safetensors files without config.json, which tells what they are";
  return "is a folder without GGUF files; name a GGUF file";
}

bool is_plain(std::string_view word) {
  return !word.empty() && word[0] != '.' && std::none_of(word.begin(), word.end(), [](char c) {
    return c <= ' ' || c == 0x7f || std::string_view("/\\:").find(c) != std::string_view::npos;
  });
}

std::string about_missing(const std::string& path) {
  constexpr const char* kNone = "there is no such file";
  if (hub::parse_name(path)) return kNone + std::string("; -hf takes it as the name of a model on the hub");
  if (path.starts_with("~")) return kNone + std::string(": the shell leaves this ~ as it is; write $HOME instead");
  if (path.starts_with("https://") || path.starts_with("http://"))
    return "lfm downloads from the Hugging Face hub alone: get the file with 'curl -LO' and name it here";
  const std::size_t colon = path.find(':');
  if (colon != std::string::npos && is_plain(path.substr(0, colon)) && is_plain(path.substr(colon + 1)))
    return kNone +
           std::string(", and lfm doesn't know Ollama's names: name a GGUF file, or a model on the hub as in ") +
           kExampleName;
  const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  if (const auto others = names_in(folder, ".gguf"); !others.empty())
    return kNone + std::string("; beside it there is ") + listed(others);
  return kNone + std::string(": name a GGUF file of an LFM2 model, or one on the hub as in ") + kExampleName;
}

}  // namespace

Status check_model_path(const std::string& path) {
  std::error_code code;
  const fs::file_type type = fs::status(path, code).type();
  std::string problem;
  if (path.empty()) {
    problem = "the name is empty: name a GGUF file of an LFM2 model";
  } else if (type == fs::file_type::directory) {
    problem = about_folder(path);
  } else if (type == fs::file_type::not_found) {
    problem = about_missing(path);
  } else if (type == fs::file_type::regular && fs::file_size(path, code) == 0) {
    problem = "the file is empty; if it was downloaded, download it again";
  }
  if (problem.empty()) return {};
  return Error{ErrorCode::kIo, std::move(problem), path.empty() ? "--model" : base::printable(path)};
}

bool is_on_the_hub(const std::string& path) {
  const auto name = hub::parse_name(path);
  std::error_code code;
  return name && fs::path(path).extension() != ".gguf" && !fs::exists(path, code) &&
         !fs::is_directory(fs::path(name->repository).parent_path(), code);
}

std::string name_for_clients(const std::string& path) {
  std::string name = path.substr(path.find_last_of('/') + 1);
  for (const std::string_view suffix : {".gguf", ".lfm"}) {
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  }
  return name.empty() ? "lfm" : name;
}

Error of_model(Error error, const std::string& path) {
  const bool content =
      error.code == ErrorCode::kFormat || error.code == ErrorCode::kUnsupported || error.code == ErrorCode::kNumeric;
  const std::string name = base::printable(path);
  const std::string& field = error.field;
  if (!content || field.starts_with('/') || field.find(name) != std::string::npos) return error;
  error.field = field.empty() ? name : name + ": " + field;
  return error;
}

}  // namespace lfm::cli
