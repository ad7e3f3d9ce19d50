#include "source/gguf_source.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/try.h"
#include "source/gguf_config.h"
#include "source/gguf_split.h"
#include "source/gguf_tokenizer.h"
#include "source/weight_format.h"

namespace lfm::source {
namespace {

using format::Gguf;

constexpr std::uint64_t kQuantizationVersion = 2;  // of ggml's block formats

struct HintKey {
  const char* key;
  const char* option;
};

// llama.cpp's converter copies them from the model's generation_config.json.
constexpr HintKey kFloatHints[] = {
    {"general.sampling.temp", "temperature"},
    {"general.sampling.top_p", "top_p"},
    {"general.sampling.min_p", "min_p"},
    {"general.sampling.penalty_repeat", "repetition_penalty"},
};
constexpr HintKey kTopK = {"general.sampling.top_k", "top_k"};

class GgufSource final : public Source {
 public:
  explicit GgufSource(std::vector<Gguf> parts) : parts_(std::move(parts)) {
    gguf_version = parts_[0].version();
    for (std::uint32_t i = 0; i < parts_.size(); ++i) {
      bytes += parts_[i].file_bytes();
      for (const format::TensorInfo& tensor : parts_[i].tensors()) tensors.push_back(listed(tensor, i));
    }
  }

  Result<model::Config> config() const override {
    LFM_ASSIGN(model::Config config, read_config(metadata()));
    LFM_TRY(check_quantization_version());
    take_real_widths(config);
    if (config.drafts()) {
      LFM_TRY(read_markov_rank(config));
    } else {
      note_other_names(config);
    }
    return config;
  }
  Result<text::TokenizerData> tokenizer() const override { return read_tokenizer(metadata()); }
  Result<std::optional<std::string_view>> chat_template() const override {
    return metadata().find_string("tokenizer.chat_template");
  }
  Result<std::vector<SamplingHint>> sampling() const override;

  void write_keys(format::GgufWriter& writer) const override { writer.copy(metadata()); }

  std::vector<std::byte> identity() const override {
    Identity identity;
    for (const Gguf& part : parts_) identity.parts.push_back({part.file_bytes(), part.header()});
    return identity.write();
  }

 private:
  static model::FileTensor listed(const format::TensorInfo& tensor, std::uint32_t file) {
    model::FileTensor out{tensor.name,  format::to_string(tensor.type), weight_format(tensor.type), {}, tensor.rank,
                          tensor.bytes, {file, tensor.offset}};
    std::reverse_copy(tensor.dims.begin(), tensor.dims.begin() + tensor.rank, out.dims.begin());
    out.block_columns = static_cast<std::uint32_t>(format::block_columns(tensor.type));
    out.block_bytes = static_cast<std::uint32_t>(format::block_bytes(tensor.type));
    return out;
  }

  const format::TensorInfo* find(std::string_view name) const noexcept {
    for (const Gguf& part : parts_) {
      if (const format::TensorInfo* const tensor = part.find(name)) return tensor;
    }
    return nullptr;
  }

  // Of a split file, the first part has all that isn't about parts.
  const format::Metadata& metadata() const noexcept { return parts_[0].metadata(); }
  Status check_quantization_version() const;
  void take_real_widths(model::Config& config) const;
  void note_other_names(model::Config& config) const;
  Status read_markov_rank(model::Config& config) const;

  std::vector<Gguf> parts_;
};

Status GgufSource::check_quantization_version() const {
  constexpr std::string_view kKey = "general.quantization_version";
  if (std::ranges::none_of(tensors, [](const model::FileTensor& t) { return t.block_columns > 1; })) return {};
  LFM_ASSIGN(const std::optional<std::uint64_t> version, metadata().find_unsigned(kKey));
  if (version == kQuantizationVersion) return {};
  const std::string found = version ? "is " + std::to_string(*version) : "the key is missing";
  return metadata().error(kKey, found + ", but quantised tensors are read in version 2 only", ErrorCode::kUnsupported);
}

// Some files' key has a width that none of their tensors has.
void GgufSource::take_real_widths(model::Config& config) const {
  std::size_t told = 0;
  std::size_t real = 0;
  for (std::size_t i = 0; i < config.layers.size(); ++i) {
    model::LayerConfig& layer = config.layers[i];
    const auto tensor = [&](const char* name) {
      return find("blk." + std::to_string(i) + name + (layer.moe ? "_exps.weight" : ".weight"));
    };
    const format::TensorInfo* const down = tensor(".ffn_down");
    if (down == nullptr || down->dims[0] == layer.ffn_width || !is_width(down->dims[0])) continue;
    const std::uint64_t width = down->dims[0];
    const auto has_it = [width](const format::TensorInfo* half) { return half == nullptr || half->dims[1] == width; };
    if (!has_it(tensor(".ffn_gate")) || !has_it(tensor(".ffn_up"))) continue;
    told = std::exchange(layer.ffn_width, static_cast<std::size_t>(width));
    real = layer.ffn_width;
  }
  if (real == 0) return;
  config.notes.push_back("the feed-forward length is said to be " + std::to_string(told) + ", but the tensors have " +
                         std::to_string(real) + ", as in files that were made for Ollama: the tensors count");
}

// No key has it.
Status GgufSource::read_markov_rank(model::Config& config) const {
  constexpr const char* kName = "markov_w1.weight";
  const format::TensorInfo* const tensor = find(kName);
  if (tensor == nullptr) {
    return Error{ErrorCode::kUnsupported, "the tensor is missing: drafts without it aren't supported", kName};
  }
  if (!is_width(tensor->dims[0])) {
    return Error{ErrorCode::kFormat,
                 "has " + std::to_string(tensor->dims[0]) + " columns, expected 32, 64, ... or many more", kName};
  }
  config.draft.markov_rank = static_cast<std::size_t>(tensor->dims[0]);
  return {};
}

void GgufSource::note_other_names(model::Config& config) const {
  if (find("token_embd_norm.weight") == nullptr && find("output_norm.weight") != nullptr)
    config.notes.push_back("the last norm is called output_norm.weight, as in files that were made for Ollama");
  if (const auto pre = metadata().find_string(kPreTokenizer);
      pre.ok() && *pre && cuts_as_lfm2(**pre) && **pre != "lfm2") {
    config.notes.push_back(std::string(kPreTokenizer) + " is '" + std::string(**pre) +
                           "', which cuts text as lfm2 does: it is taken for that");
  }
}

Result<std::vector<SamplingHint>> GgufSource::sampling() const {
  std::vector<SamplingHint> hints;
  for (const auto& [key, option] : kFloatHints) {
    LFM_ASSIGN(const auto value, metadata().find_float(key));
    if (value) hints.push_back({option, *value, metadata().error(key, {})});
  }
  LFM_ASSIGN(const auto top_k, metadata().find_unsigned(kTopK.key));
  if (top_k) hints.push_back({kTopK.option, static_cast<double>(*top_k), metadata().error(kTopK.key, {})});
  return hints;
}

}  // namespace

Result<std::unique_ptr<Source>> source_of(std::vector<Gguf> parts) {
  LFM_TRY(check_parts(parts));
  return std::unique_ptr<Source>(std::make_unique<GgufSource>(std::move(parts)));
}

Result<std::unique_ptr<Source>> open_gguf(base::File file) {
  std::vector<base::File> files;
  LFM_ASSIGN(std::vector<Gguf> parts, read_parts(std::move(file), files));
  LFM_ASSIGN(std::unique_ptr<Source> source, source_of(std::move(parts)));
  source->files = std::move(files);
  return source;
}

Result<std::unique_ptr<Source>> restore_gguf(const Identity& identity) {
  std::vector<Gguf> parts;
  for (const IdentityPart& part : identity.parts) {
    LFM_ASSIGN(Gguf gguf, Gguf::parse(part.kept, part.file_bytes));
    parts.push_back(std::move(gguf));
  }
  return source_of(std::move(parts));
}

}  // namespace lfm::source
