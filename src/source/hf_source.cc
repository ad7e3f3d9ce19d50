#include "source/hf_source.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "format/gguf.h"
#include "format/gguf_writer.h"
#include "format/safetensors.h"
#include "source/gguf_source.h"
#include "source/hf_config.h"
#include "source/hf_files.h"
#include "source/hf_tokenizer.h"
#include "source/weight_format.h"

namespace lfm::source {
namespace {

using format::Gguf;
using Json = json::Value;
using format::SafeTensors;

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr std::size_t kMostShards = 1000;

class HfSource final : public Source {
 public:
  HfSource(std::unique_ptr<Source> keys, std::vector<SafeTensors> shards)
      : keys_(std::move(keys)), shards_(std::move(shards)) {
    naming = model::Naming::kHuggingFace;
    for (std::uint32_t i = 0; i < shards_.size(); ++i) {
      bytes += shards_[i].file_bytes();
      for (const format::SafeTensor& tensor : shards_[i].tensors()) tensors.push_back(listed(tensor, i));
    }
  }

  Result<model::Config> config() const override { return keys_->config(); }
  Result<text::TokenizerData> tokenizer() const override { return keys_->tokenizer(); }
  Result<std::optional<std::string_view>> chat_template() const override { return keys_->chat_template(); }
  Result<std::vector<SamplingHint>> sampling() const override { return keys_->sampling(); }
  void write_keys(format::GgufWriter& writer) const override { keys_->write_keys(writer); }

  std::vector<std::byte> identity() const override {
    const std::vector<std::byte> keys = keys_->identity();
    Identity identity{Format::kHuggingFace, {{keys.size(), keys}}};
    for (const SafeTensors& shard : shards_) identity.parts.push_back({shard.file_bytes(), shard.header()});
    return identity.write();
  }

 private:
  static model::FileTensor listed(const format::SafeTensor& tensor, std::uint32_t file) {
    model::FileTensor out;
    out.name = tensor.name;
    out.type = tensor.dtype;
    out.rank = static_cast<std::uint32_t>(std::min(tensor.shape.size(), out.dims.size()));
    std::copy_n(tensor.shape.begin(), out.rank, out.dims.begin());
    out.bytes = tensor.bytes;
    out.place = {file, tensor.offset};
    if (tensor.type) {
      out.format = weight_format(*tensor.type);
      out.block_bytes = static_cast<std::uint32_t>(format::block_bytes(*tensor.type));
    }
    return out;
  }

  std::unique_ptr<Source> keys_;  // a GGUF source without tensors
  std::vector<SafeTensors> shards_;
};

Result<std::unique_ptr<Source>> source_of_keys(std::span<const std::byte> header, std::uint64_t file_bytes) {
  std::vector<Gguf> parts;
  LFM_ASSIGN(Gguf keys, Gguf::parse(header, file_bytes));
  parts.push_back(std::move(keys));
  return source_of(std::move(parts));
}

Status check_shapes(std::span<const SafeTensors> shards) {
  for (const SafeTensors& shard : shards) {
    for (const format::SafeTensor& tensor : shard.tensors()) {
      if (tensor.shape.size() > model::FileTensor().dims.size())
        return Error{ErrorCode::kFormat, "has more than four dimensions", base::printable(tensor.name, 64)};
    }
  }
  return {};
}

Result<std::unique_ptr<Source>> made_of(std::unique_ptr<Source> keys, std::vector<SafeTensors> shards) {
  LFM_TRY(check_shapes(shards));
  return std::unique_ptr<Source>(std::make_unique<HfSource>(std::move(keys), std::move(shards)));
}

// Newer folders have a file of the template, older ones a setting.
Result<std::optional<std::string>> find_template(const HfFolder& folder, const Json& settings) {
  LFM_ASSIGN(std::optional<std::string> text, folder.text("chat_template.jinja"));
  const Json* set = json::given(settings, "chat_template");
  if (!text && set != nullptr && set->is_text()) text = set->text;
  return text;
}

Result<std::unique_ptr<Source>> read_keys(const HfFolder& folder) {
  format::GgufWriter writer;
  LFM_ASSIGN(const Json config, folder.require_json("config.json"));
  LFM_TRY(write_config_keys(config, folder.name(), writer));
  LFM_ASSIGN(const std::uint64_t vocabulary, json::require_unsigned(config, "vocab_size"));
  LFM_ASSIGN(const Json tokenizer, folder.require_json("tokenizer.json"));
  LFM_ASSIGN(const std::optional<Json> found, folder.json("tokenizer_config.json"));
  const Json settings = found ? *found : Json{};
  LFM_TRY(write_tokenizer_keys(tokenizer, settings, config, vocabulary, writer));
  LFM_ASSIGN(const std::optional<std::string> chat, find_template(folder, settings));
  if (chat) writer.set_string("tokenizer.chat_template", *chat);
  LFM_ASSIGN(const std::optional<Json> generation, folder.json("generation_config.json"));
  if (generation) LFM_TRY(write_sampling_keys(*generation, writer));
  const std::string header = writer.layout().header;
  return source_of_keys(std::as_bytes(std::span(header)), header.size());
}

bool is_plain_name(std::string_view name) {
  return name.ends_with(".safetensors") && name.find('/') == std::string_view::npos && name[0] != '.' &&
         name.find('\0') == std::string_view::npos;
}

// Which file each tensor is in, as the index has it.
using Index = std::map<std::string, std::string>;

Result<Index> read_index(const HfFolder& folder) {
  LFM_ASSIGN(const Json index, folder.require_json(kIndex));
  const Json* map = json::given(index, "weight_map");
  if (map == nullptr || !map->is_object()) return Error{ErrorCode::kFormat, "no weight_map", kIndex};
  Index files;
  for (const auto& [tensor, file] : map->members) {
    if (!file.is_text() || !is_plain_name(file.text)) {
      return Error{ErrorCode::kFormat, "the file of '" + base::printable(tensor, 64) + "' isn't one of the folder",
                   kIndex};
    }
    files.emplace(tensor, file.text);
  }
  return files;
}

Status check_index(const Index& index, const std::vector<std::string>& names, std::span<const SafeTensors> shards) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    for (const format::SafeTensor& tensor : shards[i].tensors()) {
      const auto at = index.find(tensor.name);
      if (at == index.end() || at->second != names[i]) {
        return Error{ErrorCode::kFormat, "the index doesn't have it in " + base::printable(names[i]),
                     base::printable(tensor.name, 64)};
      }
      ++found;
    }
  }
  if (found == index.size()) return {};
  return Error{ErrorCode::kFormat, "names tensors that aren't in the files", kIndex};
}

}  // namespace

Result<std::unique_ptr<Source>> open_folder(const std::string& path) {
  LFM_ASSIGN(const HfFolder folder, HfFolder::open(path));
  LFM_ASSIGN(std::unique_ptr<Source> keys, read_keys(folder));
  Index index;
  std::vector<std::string> names = {kSingle};
  if (!folder.has(kSingle) && folder.has(kIndex)) {
    LFM_ASSIGN(index, read_index(folder));
    names.clear();
    for (const auto& [tensor, file] : index) names.push_back(file);
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
  }
  if (names.empty() || names.size() > kMostShards)
    return Error{ErrorCode::kLimit, std::to_string(names.size()) + " files of weights", kIndex};
  std::vector<base::File> files;
  std::vector<SafeTensors> shards;
  for (const std::string& name : names) {
    LFM_ASSIGN(base::File file, folder.file(name));
    LFM_ASSIGN(SafeTensors shard, SafeTensors::read(file));
    LFM_TRY(file.check_unchanged());
    files.push_back(std::move(file));
    shards.push_back(std::move(shard));
  }
  if (!index.empty()) LFM_TRY(check_index(index, names, shards));
  LFM_ASSIGN(std::unique_ptr<Source> source, made_of(std::move(keys), std::move(shards)));
  source->files = std::move(files);
  return source;
}

Result<std::unique_ptr<Source>> restore_folder(const Identity& identity) {
  LFM_ASSIGN(const Identity keys_identity, Identity::read(identity.parts[0].kept));
  if (keys_identity.format != Format::kGguf)
    return Error{ErrorCode::kFormat, "what a packed file keeps of its source is damaged", "source"};
  LFM_ASSIGN(std::unique_ptr<Source> keys, restore_gguf(keys_identity));
  if (!keys->tensors.empty())
    return Error{ErrorCode::kFormat, "what a packed file keeps of its source is damaged", "source"};
  std::vector<SafeTensors> shards;
  for (const IdentityPart& part : std::span(identity.parts).subspan(1)) {
    LFM_ASSIGN(SafeTensors shard, SafeTensors::parse(part.kept, part.file_bytes));
    shards.push_back(std::move(shard));
  }
  return made_of(std::move(keys), std::move(shards));
}

}  // namespace lfm::source
