#include "engine/load/model_parts.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "engine/load/load.h"

namespace lfm::engine {
namespace {

Error wrong_layout(const ModelFile& model, std::string message) {
  return Error{ErrorCode::kUnsupported, std::move(message), base::printable(model.path)};
}

Result<std::optional<ops::XnnLayout>> dense_of_pack(const ModelFile& model, DenseBackend wanted,
                                                    std::vector<std::string>& notes) {
  const format::PackLayout& layout = model.packed->pack.layout();
  const format::PackLayout ours = pack_layout(std::nullopt);
  if (layout.tiles != ours.tiles || layout.plan != ours.plan)
    return wrong_layout(model, "packed for another version of this library: pack the model again");
  if (layout.xnn_nr == 0 && layout.xnn_kr == 0) {
    if (wanted == DenseBackend::kXnnpack)
      notes.push_back("dense matrices run on the native kernels: the file was packed for them");
    return std::optional<ops::XnnLayout>();
  }
  if (wanted == DenseBackend::kNative) {
    return Error{ErrorCode::kArgument, "the file was packed for xnnpack: pack the model again for native", "dense"};
  }
  auto here = ops::find_xnn_layout();
  if (!here.ok() && here.error().code == ErrorCode::kNoMemory) return std::move(here).error();
  if (!here.ok()) return wrong_layout(model, "packed for XNNPACK, which doesn't run here: " + here.error().describe());
  if (here->nr != layout.xnn_nr || here->kr != layout.xnn_kr)
    return wrong_layout(model, "packed for XNNPACK on another kind of CPU: pack the model again on this one");
  return std::optional<ops::XnnLayout>(*here);
}

}  // namespace

Result<ModelParts> ModelParts::open(const std::string& path) {
  LFM_ASSIGN(ModelFile model, ModelFile::open(path));
  LFM_ASSIGN(model::Config config, model.source->config());
  LFM_ASSIGN(model::TensorTable table, model::match_tensors(model.source->tensors, model.source->naming, config));
  return ModelParts{std::move(model), std::move(config), std::move(table)};
}

Result<text::Tokenizer> ModelParts::tokenizer() const {
  LFM_ASSIGN(const text::TokenizerData data, model.source->tokenizer());
  LFM_ASSIGN(text::Tokenizer tokenizer, text::Tokenizer::create(data));
  if (tokenizer.vocabulary().size() != config.vocab) {
    return Error{ErrorCode::kFormat,
                 "the tokenizer has " + std::to_string(tokenizer.vocabulary().size()) + " tokens, the embedding " +
                     std::to_string(config.vocab),
                 "tokenizer.ggml.tokens"};
  }
  return tokenizer;
}

ModelInfo describe(const ModelParts& parts, const model::PackPlan& plan) {
  const model::Config& config = parts.config;
  const model::TensorTotals& totals = parts.table.totals;
  ModelInfo info;
  info.architecture = model::to_string(config.architecture);
  info.name = base::printable(config.name);
  info.path = parts.model.path;
  info.file_bytes = parts.model.bytes;
  info.packed = parts.model.packed.has_value();
  info.layers = config.layers.size();
  info.attention_layers = config.attention_layers();
  info.hidden = config.hidden;
  info.vocabulary = config.vocab;
  info.context_tokens = config.context_length;
  info.experts = config.experts;
  info.experts_used = config.experts_used;
  info.parameters = totals.parameters;
  info.active_parameters = totals.active_parameters;
  info.prompt_parameters = totals.prompt_parameters;
  info.weight_bytes = plan.bytes;
  info.weight_bytes_per_token = totals.bytes_per_token;
  info.cache_bytes_per_token = config.kv_bytes_per_position();
  info.state_bytes = config.conv_state_bytes();
  info.notes = config.notes;
  return info;
}

Result<std::optional<ops::XnnLayout>> choose_dense(const ModelFile& model, DenseBackend wanted,
                                                   std::vector<std::string>& notes) {
  if (model.packed) return dense_of_pack(model, wanted, notes);
  if (wanted != DenseBackend::kXnnpack) return std::optional<ops::XnnLayout>();
  auto layout = ops::find_xnn_layout();
  if (layout.ok()) return std::optional<ops::XnnLayout>(*layout);
  notes.push_back("dense matrices run on the native kernels: " + layout.error().describe());
  return std::optional<ops::XnnLayout>();
}

std::optional<ops::XnnLayout> layout_of(const ModelFile& model) noexcept {
  if (!model.packed || model.packed->pack.layout().xnn_nr == 0) return std::nullopt;
  return ops::XnnLayout{model.packed->pack.layout().xnn_nr, model.packed->pack.layout().xnn_kr};
}

Status check_size(const ModelParts& parts, const model::PackPlan& plan) {
  const std::uint64_t bytes = parts.model.packed->pack.places().weights_bytes;
  if (bytes == plan.bytes) return {};
  return Error{ErrorCode::kFormat,
               "the packed weights are " + std::to_string(bytes) + " bytes, expected " + std::to_string(plan.bytes),
               base::printable(parts.model.path)};
}

Result<FileDescription> describe_file(const std::string& path) {
  LFM_ASSIGN(const ModelParts parts, ModelParts::open(path));
  const source::Source& source = *parts.model.source;
  const model::PackPlan plan = model::plan_weights(parts.table, layout_of(parts.model));
  FileDescription description{describe(parts, plan), source.gguf_version, {}};
  for (const model::FileTensor& tensor : source.tensors) {
    description.tensors.push_back({std::string(tensor.name),
                                   std::string(tensor.type),
                                   {tensor.dims.begin(), tensor.dims.begin() + tensor.rank},
                                   tensor.bytes,
                                   tensor.place.offset});
  }
  return description;
}

Result<text::Tokenizer> load_tokenizer(const std::string& path) {
  LFM_ASSIGN(const ModelFile model, ModelFile::open(path));
  LFM_ASSIGN(const text::TokenizerData data, model.source->tokenizer());
  return text::Tokenizer::create(data);
}

}  // namespace lfm::engine
