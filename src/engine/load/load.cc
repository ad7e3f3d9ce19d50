// From a file to a model.
#include "engine/load/load.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/checksum.h"
#include "base/cores.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/try.h"
#include "engine/load/draft.h"
#include "engine/load/loaded_weights.h"
#include "engine/load/model_parts.h"
#include "engine/load/rounded.h"
#include "engine/load/sampling_defaults.h"
#include "quantize/blocks/encode.h"

namespace lfm::engine {
namespace {

constexpr std::size_t kMaxChunkTokens = 4096;

Status check(const EngineOptions& options) {
  if (options.chunk_tokens < 1 || options.chunk_tokens > kMaxChunkTokens) {
    return Error{ErrorCode::kArgument, "must be 1 to " + std::to_string(kMaxChunkTokens), "chunk_tokens"};
  }
  return {};
}

Runtime::Threads threads_of(const EngineOptions& options) {
  const base::Cores cores = base::usable_cores();
  const unsigned otherwise = options.threads != 0 ? options.threads : cores.all;
  return {options.threads != 0 ? options.threads : cores.fast,
          options.batch_threads != 0 ? options.batch_threads : otherwise};
}

// Where matrices of floats are to become another type, that is what the table says then; how the files have them is
// returned.
std::optional<model::TensorTable> round_floats(ModelParts& parts, const EngineOptions& options) {
  if (!options.weights || parts.model.packed) return std::nullopt;
  const std::vector<format::TensorType> types = types_of_floats_as(parts.table, *options.weights);
  if (std::ranges::equal(types, parts.table.tensors, {}, {}, source_type)) return std::nullopt;
  return std::exchange(parts.table, table_with(parts.table, parts.config, types));
}

}  // namespace

Result<std::shared_ptr<const Model>> load_model(const std::string& path, const EngineOptions& options) {
  LFM_TRY(check(options));
  LFM_ASSIGN(const kernels::Isa isa, base::chosen_isa());
  const Runtime::Threads threads = threads_of(options);
  const unsigned members = std::max(threads.few, threads.many);
  LFM_ASSIGN(base::Team team, base::Team::create(members));

  LFM_ASSIGN(ModelParts parts, ModelParts::open(path));
  LFM_TRY(check_talks(parts));
  LFM_TRY(base::check_wanted(options.cancel));
  LFM_ASSIGN(text::Tokenizer tokenizer, parts.tokenizer());
  LFM_ASSIGN(const std::vector<source::SamplingHint> hints, parts.model.source->sampling());
  LFM_ASSIGN(const auto chat_template, parts.model.source->chat_template());
  LFM_ASSIGN(SamplingOptions sampling, default_sampling(parts.config, hints, chat::find_form(chat_template).form.name));
  LFM_TRY(base::check_wanted(options.cancel));

  std::vector<std::string> notes;
  if (team.size() < members) {
    notes.push_back("the system starts " + std::to_string(team.size()) + " threads, and not " +
                    std::to_string(members));
  }
  LFM_ASSIGN(const std::optional<ops::XnnLayout> xnn, choose_dense(parts.model, options.dense, notes));
  const std::optional<model::TensorTable> original = round_floats(parts, options);
  if (original) {
    notes.push_back(std::string("matrices of floats are packed as ") +
                    format::to_string(quantize::tensor_type(*options.weights)));
  }
  const model::PackPlan plan = model::plan_weights(parts.table, xnn);
  const auto rows = original ? rounding_reader(parts.model.source->files, *original, parts.table) : nullptr;
  LFM_ASSIGN(Loaded loaded, load_weights({parts, plan, rows}, xnn, options, team, notes));
  model::Weights weights = model::bind_weights(plan, parts.config, loaded.packed.bytes().data());

  std::unique_ptr<DraftModel> draft;
  if (!options.draft.empty()) {
    LFM_ASSIGN(draft, load_draft(options.draft, parts.config, weights, options, team, notes));
  }

  ModelInfo info = describe(parts, plan);
  info.isa = kernels::info(isa).name;
  info.dense_backend = xnn ? "xnnpack" : "native";
  LFM_ASSIGN(std::unique_ptr<Runtime> runtime,
             Runtime::create(parts.config, weights, xnn, std::move(team), threads, isa, options.chunk_tokens,
                             draft != nullptr ? &draft->network : nullptr));
  runtime->may_be_guessed(tokenizer.end_tokens());
  info.threads = runtime->threads().few;
  info.batch_threads = runtime->threads().many;
  const std::uint64_t identity_sum = base::checksum(parts.model.source->identity());
  // Last, so that who gives up leaves no file behind, nor waits for one.
  LFM_TRY(base::check_wanted(options.cancel));
  if (draft != nullptr) {
    keep_draft(*draft, options, notes);
    info.draft = draft->path;
    info.draft_weight_bytes = draft->packed.bytes().size();
    info.cache_bytes_per_token += draft->network.config.kv_bytes_per_position();
  }
  std::unique_ptr<CacheWriter> cache =
      loaded.keep ? keep_weights(*loaded.keep, loaded.packed, options, notes) : nullptr;
  info.notes.insert(info.notes.end(), std::make_move_iterator(notes.begin()), std::make_move_iterator(notes.end()));
  return Model::share(std::unique_ptr<const Model>(
      new Model{std::move(parts.config), std::move(tokenizer), std::move(loaded.packed), std::move(weights),
                std::move(info), std::move(sampling), chat::read_template(chat_template), std::move(runtime),
                Fingerprint(identity_sum, loaded.sum), std::move(cache), std::move(draft)}));
}

}  // namespace lfm::engine
