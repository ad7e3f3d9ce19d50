#include "engine/model.h"

#include <algorithm>
#include <utility>

#include "base/cpu.h"
#include "base/file.h"
#include "base/try.h"
#include "engine/sampling_defaults.h"
#include "format/gguf.h"
#include "model/forward.h"
#include "model/tensor_table.h"
#include "text/tokenizer_gguf.h"

namespace lfm::engine {
namespace {

constexpr std::size_t kMaxChunkTokens = 4096;
// Tokens whose logits are computed together where every token's are wanted: a chunk's worth would be 130 MB.
constexpr std::size_t kLogitsAtOnce = 32;

Status check(const EngineOptions& options) {
  if (options.chunk_tokens < 1 || options.chunk_tokens > kMaxChunkTokens) {
    return Error{ErrorCode::kArgument, "must be 1 to " + std::to_string(kMaxChunkTokens), "chunk_tokens"};
  }
  return {};
}

ModelInfo describe(const base::File& file, const model::Config& config, const model::TensorTable& table,
                   const model::PackPlan& plan) {
  ModelInfo info;
  info.architecture = model::to_string(config.architecture);
  info.name = base::printable(config.name);
  info.path = file.path();
  info.file_bytes = file.size();
  info.layers = config.layers.size();
  info.attention_layers = config.attention_layers();
  info.hidden = config.hidden;
  info.vocabulary = config.vocab;
  info.context_tokens = config.context_length;
  info.experts = config.experts;
  info.experts_used = config.experts_used;
  info.parameters = table.totals.parameters;
  info.active_parameters = table.totals.active_parameters;
  info.weight_bytes = plan.bytes;
  info.weight_bytes_per_token = table.totals.bytes_per_token;
  info.cache_bytes_per_token = config.kv_bytes_per_position();
  info.state_bytes = config.conv_state_bytes();
  return info;
}

}  // namespace

Result<std::unique_ptr<Runtime>> Runtime::create(const model::Config& config, const model::Weights& weights,
                                                 std::optional<ops::XnnLayout> xnn, base::Team team, kernels::Isa isa,
                                                 std::size_t chunk_tokens) {
  const unsigned threads = team.size();
  std::unique_ptr<Runtime> runtime(new Runtime(std::move(team), kernels::table(isa), chunk_tokens));
  LFM_ASSIGN(runtime->workspace_,
             ops::Workspace::create(model::workspace_dimensions(config, threads, chunk_tokens, config.context_length)));
  if (xnn) {
    for (unsigned i = 0; i < threads; ++i) {
      LFM_ASSIGN(ops::XnnWorker worker, ops::XnnWorker::create(*xnn));
      LFM_TRY(model::prepare_weights(weights, config, worker, threads, chunk_tokens));
      runtime->xnn_.push_back(std::move(worker));
    }
  }
  return runtime;
}

void Runtime::step(const model::Weights& weights, const model::Config& config, model::State& state,
                   std::span<const TokenId> tokens, const Outputs& outputs) {
  const std::lock_guard lock(mutex_);
  const auto run = [&](auto&& body) {
    profile_.start();
    team_.run([&](base::Worker& worker) {
      body(ops::Context{kernels_, worker, workspace_, xnn_.empty() ? nullptr : &xnn_[worker.index()], tokens.size(),
                        worker.index() == 0 ? &profile_ : nullptr});
    });
  };
  run([&](const ops::Context& context) {
    model::forward(context, weights, config, state, tokens, outputs.checkpoints);
    if (outputs.last_logits != nullptr) {
      model::head(context, weights, config, tokens.size() - 1, 1, outputs.last_logits, outputs.stride);
    }
  });
  state.advance(tokens.size());
  if (outputs.each == nullptr) return;
  block_logits_.resize(kLogitsAtOnce * outputs.stride);
  for (std::size_t first = 0; first < tokens.size(); first += kLogitsAtOnce) {
    const std::size_t count = std::min(kLogitsAtOnce, tokens.size() - first);
    run([&](const ops::Context& context) {
      model::head(context, weights, config, first, count, block_logits_.data(), outputs.stride);
    });
    outputs.each(first, count, block_logits_.data());
  }
}

Result<std::shared_ptr<const Model>> load_model(const std::string& path, const EngineOptions& options) {
  LFM_TRY(check(options));
  LFM_ASSIGN(const kernels::Isa isa, base::chosen_isa());
  LFM_ASSIGN(base::Team team, base::Team::create(options.threads != 0 ? options.threads : base::default_threads()));

  LFM_ASSIGN(const base::File file, base::File::open_read(path));
  LFM_ASSIGN(const format::Gguf gguf, format::Gguf::read(file));
  LFM_ASSIGN(model::Config config, model::read_config(gguf));
  LFM_ASSIGN(const model::TensorTable table, model::match_tensors(gguf, config));
  LFM_ASSIGN(text::Tokenizer tokenizer, text::read_tokenizer(gguf.metadata()));
  if (tokenizer.vocabulary().size() != config.vocab) {
    return Error{ErrorCode::kFormat,
                 "the tokenizer has " + std::to_string(tokenizer.vocabulary().size()) + " tokens, the embedding " +
                     std::to_string(config.vocab),
                 "tokenizer.ggml.tokens"};
  }

  LFM_ASSIGN(SamplingOptions sampling, default_sampling(config, gguf.metadata()));

  std::vector<std::string> notes;
  std::optional<ops::XnnLayout> xnn;
  if (options.dense == DenseBackend::kXnnpack) {
    auto layout = ops::find_xnn_layout();
    if (layout.ok()) {
      xnn = *layout;
    } else {
      notes.push_back("dense matrices run on the native kernels: " + layout.error().describe());
    }
  }

  const model::PackPlan plan = model::plan_weights(table, xnn);
  LFM_ASSIGN(base::Memory packed, base::Memory::allocate(plan.bytes, base::Memory::Pages::kHuge));
  LFM_TRY(model::pack_weights(file, plan, team, {packed.data(), packed.size()}));
  model::Weights weights = model::bind_weights(plan, table, config, packed.data());

  ModelInfo info = describe(file, config, table, plan);
  info.isa = base::to_string(isa);
  info.dense_backend = xnn ? "xnnpack" : "native";
  info.threads = team.size();
  info.notes = std::move(notes);
  LFM_ASSIGN(std::unique_ptr<Runtime> runtime,
             Runtime::create(config, weights, xnn, std::move(team), isa, options.chunk_tokens));
  return std::shared_ptr<const Model>(new Model{std::move(config), std::move(tokenizer), std::move(packed),
                                                std::move(weights), std::move(info), std::move(sampling),
                                                std::move(runtime)});
}

Result<FileDescription> describe_file(const std::string& path) {
  LFM_ASSIGN(const base::File file, base::File::open_read(path));
  LFM_ASSIGN(const format::Gguf gguf, format::Gguf::read(file));
  LFM_ASSIGN(const model::Config config, model::read_config(gguf));
  LFM_ASSIGN(const model::TensorTable table, model::match_tensors(gguf, config));
  FileDescription description{
      describe(file, config, table, model::plan_weights(table, std::nullopt)), gguf.version(), {}};
  for (const format::TensorInfo& tensor : gguf.tensors()) {
    std::vector<std::uint64_t> shape(tensor.dims.begin(), tensor.dims.begin() + tensor.rank);
    std::reverse(shape.begin(), shape.end());
    description.tensors.push_back(
        {std::string(tensor.name), format::to_string(tensor.type), std::move(shape), tensor.bytes, tensor.offset});
  }
  return description;
}

}  // namespace lfm::engine
