#include "hub/files.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "io.h"

namespace lfm::hub {
namespace {

constexpr std::string_view kGguf = ".gguf";
constexpr std::array<std::string_view, 9> kPreferred = {"Q4_0", "Q4_K_M", "Q4_K_S", "Q5_K_M", "Q6_K",
                                                        "Q8_0", "IQ4_NL", "BF16",   "F16"};

char upper(char c) {
  return static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return upper(x) == upper(y); });
}

bool ends_in(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && same(text.substr(text.size() - end.size()), end);
}

std::string_view file_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

struct Part {
  std::string_view name;  // of the whole
  std::size_t number = 1;
  std::size_t of = 1;
};

// NAME-00002-of-00003, whose .gguf was cut off.
Part part_of(std::string_view stem) {
  constexpr std::size_t kDigits = 5;
  constexpr std::string_view kOf = "-of-";
  constexpr std::size_t kEnd = 1 + kDigits + kOf.size() + kDigits;
  if (stem.size() <= kEnd) return {stem};
  const std::string_view end = stem.substr(stem.size() - kEnd);
  std::size_t numbers[2] = {0, 0};
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    for (const char c : end.substr(i == 0 ? 1 : kEnd - kDigits, kDigits)) {
      if (c < '0' || c > '9') return {stem};
      numbers[i] = 10 * numbers[i] + static_cast<std::size_t>(c - '0');
    }
  }
  const bool split = end[0] == '-' && end.substr(1 + kDigits, kOf.size()) == kOf && numbers[0] > 0;
  return split ? Part{stem.substr(0, stem.size() - kEnd), numbers[0], numbers[1]} : Part{stem};
}

bool is_type(std::string_view word) {
  constexpr std::array<std::string_view, 7> kFronts = {"Q", "IQ", "TQ", "F", "BF", "MXFP", "NVFP"};
  const std::size_t digit = std::min(word.find_first_of("0123456789"), word.size());
  return digit < word.size() && std::any_of(kFronts.begin(), kFronts.end(),
                                            [&](std::string_view front) { return same(word.substr(0, digit), front); });
}

// Of "LFM2-8B-A1B-UD-Q4_K_XL": what is behind the last '-' or '.', where that is the name of a type.
std::string quant_of(std::string_view name) {
  constexpr std::string_view kDynamic = "UD-";
  name = file_name(name);
  const std::size_t cut = name.find_last_of("-.") + 1;  // npos + 1 is 0
  if (!is_type(name.substr(cut))) return {};
  const bool dynamic = ends_in(name.substr(0, cut), kDynamic);
  return std::string(name.substr(cut - (dynamic ? kDynamic.size() : 0)));
}

bool goes_with_a_model(std::string_view path) {
  std::string name(file_name(path));
  std::transform(name.begin(), name.end(), name.begin(), upper);
  return name.find("MMPROJ") != name.npos || name.find("IMATRIX") != name.npos || name.starts_with("LORA");
}

// What transformers needs of a repository: its own files lie in no folder.
std::optional<ModelFiles> folder_in(std::span<const RepositoryFile> files) {
  ModelFiles model{.folder = true, .name = {}, .quant = {}, .paths = {}, .bytes = 0};
  bool config = false;
  bool weights = false;
  for (const RepositoryFile& file : files) {
    const std::string_view path = file.path;
    if (path.find('/') != path.npos) continue;
    const bool tensors = path.ends_with(".safetensors") && !path.starts_with("consolidated");
    if (!tensors && !path.ends_with(".json") && !path.ends_with(".jinja")) continue;
    weights = weights || tensors;
    model.bytes += file.bytes;
    if (path == "config.json") {
      config = true;
    } else {
      model.paths.emplace_back(path);
    }
  }
  if (!config || !weights) return std::nullopt;
  model.paths.emplace_back("config.json");
  return model;
}

bool is_meant(const ModelFiles& model, const Name& name) {
  if (!name.file.empty()) {
    return std::any_of(model.paths.begin(), model.paths.end(),
                       [&](const std::string& path) { return path == name.file || file_name(path) == name.file; });
  }
  if (model.folder) return false;
  const std::string_view stem = file_name(model.name);
  return same(model.quant, name.quant) || ends_in(stem, "-" + name.quant) || ends_in(stem, "." + name.quant);
}

std::string listed(std::span<const ModelFiles> models) {
  constexpr std::size_t kShown = 12;
  std::string text;
  for (std::size_t i = 0; i < std::min(models.size(), kShown); ++i) {
    text +=
        (i > 0 ? ", " : "") + models[i].label() + " (" + cli::bytes_text(static_cast<double>(models[i].bytes)) + ")";
  }
  if (models.size() > kShown) text += " and " + std::to_string(models.size() - kShown) + " more";
  return text;
}

Error not_one(std::string message, const Name& name) {
  return Error{ErrorCode::kArgument, std::move(message), name.repository};
}

// The only one of those that `meant` is true of; nothing where there is none.
template <typename Meant>
Result<std::optional<ModelFiles>> only(std::span<const ModelFiles> models, const Name& name, Meant&& meant) {
  const ModelFiles* found = nullptr;
  for (const ModelFiles& model : models) {
    if (!meant(model)) continue;
    if (found != nullptr)
      return not_one("several files are meant, such as " + found->paths[0] + " and " + model.paths[0] +
                         "; name one with --hf-file",
                     name);
    found = &model;
  }
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

}  // namespace

std::string ModelFiles::label() const {
  if (folder) return "the folder of safetensors files";
  return quant.empty() ? name + std::string(kGguf) : quant;
}

std::vector<ModelFiles> models_in(std::span<const RepositoryFile> files) {
  struct Parts {
    std::size_t of = 1;
    std::map<std::size_t, const RepositoryFile*> files;
  };
  std::map<std::pair<std::string, std::size_t>, Parts> wholes;
  for (const RepositoryFile& file : files) {
    if (!ends_in(file.path, kGguf) || goes_with_a_model(file.path)) continue;
    const Part part = part_of(std::string_view(file.path).substr(0, file.path.size() - kGguf.size()));
    Parts& parts = wholes[{std::string(part.name), part.of}];
    parts.of = part.of;
    parts.files[part.number] = &file;
  }
  std::vector<ModelFiles> models;
  for (const auto& [key, parts] : wholes) {
    if (parts.files.size() != parts.of || parts.files.rbegin()->first != parts.of) continue;
    ModelFiles model{.name = key.first, .quant = quant_of(key.first), .paths = {}};
    for (const auto& [number, file] : parts.files) {
      model.paths.push_back(file->path);
      model.bytes += file->bytes;
    }
    models.push_back(std::move(model));
  }
  std::sort(models.begin(), models.end(), [](const ModelFiles& a, const ModelFiles& b) {
    return std::pair(a.bytes, a.name) < std::pair(b.bytes, b.name);
  });
  if (auto folder = folder_in(files)) models.push_back(*std::move(folder));
  return models;
}

Result<ModelFiles> choose(std::span<const ModelFiles> models, const Name& name) {
  if (models.empty()) return not_one("there is no GGUF file and no folder of safetensors files in it", name);
  const bool named = !name.file.empty() || !name.quant.empty();
  if (named) {
    // A whole name goes before one that ends in it: "Q4_K_M" is not "UD-Q4_K_M", where there are both.
    for (const bool exact : {true, false}) {
      auto found = only(models, name, [&](const ModelFiles& model) {
        if (exact && name.file.empty()) return !model.folder && same(model.quant, name.quant);
        return is_meant(model, name);
      });
      if (!found.ok()) return std::move(found).error();
      if (found->has_value()) return **std::move(found);
    }
    return not_one("there is no " + (name.file.empty() ? name.quant : name.file) + " in it, but " + listed(models),
                   name);
  }
  // The smallest comes first, and the folder last.
  if (models.size() == 1 || (models.size() == 2 && models[1].folder)) return models[0];
  for (const std::string_view quant : kPreferred) {
    auto found = only(models, name, [&](const ModelFiles& model) { return same(model.quant, quant); });
    if (!found.ok()) return std::move(found).error();
    if (found->has_value()) return **std::move(found);
  }
  return not_one("say which, as in " + name.repository + ":" + models[0].label() + "; there is " + listed(models),
                 name);
}

}  // namespace lfm::hub
