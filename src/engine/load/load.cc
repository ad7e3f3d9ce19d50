// From a file to a model.
#include "engine/load/load.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

#include "base/checksum.h"
#include "base/cores.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/try.h"
#include "engine/load/cache_folder.h"
#include "engine/load/model_parts.h"
#include "engine/load/sampling_defaults.h"

namespace lfm::engine {
namespace {

constexpr std::size_t kMaxChunkTokens = 4096;

Status check(const EngineOptions& options) {
  if (options.chunk_tokens < 1 || options.chunk_tokens > kMaxChunkTokens) {
    return Error{ErrorCode::kArgument, "must be 1 to " + std::to_string(kMaxChunkTokens), "chunk_tokens"};
  }
  return {};
}

// "PATH (4.36 GiB)"
std::string path_and_size(const std::string& path, std::uint64_t bytes) {
  char size[32];
  std::snprintf(size, sizeof size, " (%.2f GiB)", static_cast<double>(bytes) / 0x1p30);
  return base::printable(path) + size;
}

// Weights, wherever they come from.
struct Loaded {
  PackedBytes packed;
  std::optional<CacheKey> keep = {};      // where they shall be kept
  std::optional<std::uint64_t> sum = {};  // format::PackFile::weights_sum
};

Result<PackedBytes> pack_into_memory(const ModelParts& parts, const model::PackPlan& plan, const EngineOptions& options,
                                     base::Team& team) {
  LFM_ASSIGN(base::Memory memory, base::Memory::allocate(plan.bytes, base::Memory::Pages::kHuge));
  base::Work work = open_work(options, OpenPhase::kPacking, parts.table.totals.bytes);
  LFM_TRY(model::pack_weights(parts.model.source->files, plan, team, work, {memory.data(), memory.size()}));
  return PackedBytes(std::move(memory));
}

// Takes the weights of a file that isn't packed from the cache, or packs them. That there is no usable cache is never
// an error.
Result<Loaded> load_through_cache(const ModelParts& parts, const model::PackPlan& plan,
                                  std::optional<ops::XnnLayout> xnn, const EngineOptions& options, base::Team& team,
                                  std::vector<std::string>& notes) {
  auto key = CacheKey::of(options.pack_cache, parts.model, pack_layout(xnn), plan.bytes);
  if (key.ok()) {
    if (const auto cached = open_cached(*key)) {
      auto packed = load_packed(*cached, Owner::kCache, options, team);
      if (packed.ok()) {
        notes.push_back("weights packed before are used from " + path_and_size(key->path, cached->file.size()));
        return Loaded{*std::move(packed), std::nullopt, cached->pack.weights_sum()};
      }
      if (packed.error().code == ErrorCode::kCancelled) return std::move(packed).error();
      notes.push_back("packing again: " + packed.error().describe());
    }
  }
  LFM_ASSIGN(PackedBytes packed, pack_into_memory(parts, plan, options, team));
  if (key.ok()) return Loaded{std::move(packed), *std::move(key)};
  notes.push_back("packed weights aren't kept: " + key.error().describe());
  return Loaded{std::move(packed)};
}

Result<Loaded> load_weights(const ModelParts& parts, const model::PackPlan& plan, std::optional<ops::XnnLayout> xnn,
                            const EngineOptions& options, base::Team& team, std::vector<std::string>& notes) {
  if (parts.model.packed) {
    LFM_TRY(check_size(parts, plan));
    LFM_ASSIGN(PackedBytes packed, load_packed(*parts.model.packed, Owner::kUser, options, team));
    return Loaded{std::move(packed), std::nullopt, parts.model.packed->pack.weights_sum()};
  }
  if (!options.pack_cache.empty() && plan.bytes >= options.pack_cache_min_bytes) {
    return load_through_cache(parts, plan, xnn, options, team, notes);
  }
  LFM_ASSIGN(PackedBytes packed, pack_into_memory(parts, plan, options, team));
  return Loaded{std::move(packed)};
}

// That they can't be kept is no error.
std::unique_ptr<CacheWriter> keep(const CacheKey& key, const PackedBytes& packed, const EngineOptions& options,
                                  std::vector<std::string>& notes) {
  const Removed removed = make_room(options.pack_cache, key.path, packed.bytes().size(), options.pack_cache_max_bytes);
  if (removed.files > 0) {
    notes.push_back(
        path_and_size(std::to_string(removed.files) + (removed.files == 1 ? " file" : " files"), removed.bytes) +
        " went from the cache of packed weights: the models are gone, or weren't used for longest");
  }
  auto writer = CacheWriter::start(key, packed.bytes());
  if (!writer.ok()) {
    notes.push_back("packed weights aren't kept: " + writer.error().describe());
    return nullptr;
  }
  notes.push_back("packed weights are being kept for quicker starts in " +
                  path_and_size(key.path, packed.bytes().size()));
  return *std::move(writer);
}

}  // namespace

Result<std::shared_ptr<const Model>> load_model(const std::string& path, const EngineOptions& options) {
  LFM_TRY(check(options));
  LFM_ASSIGN(const kernels::Isa isa, base::chosen_isa());
  const unsigned threads = options.threads != 0 ? options.threads : base::default_threads();
  LFM_ASSIGN(base::Team team, base::Team::create(threads));

  LFM_ASSIGN(ModelParts parts, ModelParts::open(path));
  LFM_TRY(base::check_wanted(options.cancel));
  LFM_ASSIGN(text::Tokenizer tokenizer, parts.tokenizer());
  LFM_ASSIGN(const std::vector<source::SamplingHint> hints, parts.model.source->sampling());
  LFM_ASSIGN(const auto chat_template, parts.model.source->chat_template());
  LFM_ASSIGN(SamplingOptions sampling, default_sampling(parts.config, hints, chat::find_form(chat_template).form.name));
  LFM_TRY(base::check_wanted(options.cancel));

  std::vector<std::string> notes;
  if (team.size() < threads) {
    notes.push_back("the system starts " + std::to_string(team.size()) + " threads, and not " +
                    std::to_string(threads));
  }
  LFM_ASSIGN(const std::optional<ops::XnnLayout> xnn, choose_dense(parts.model, options.dense, notes));
  const model::PackPlan plan = model::plan_weights(parts.table, xnn);
  LFM_ASSIGN(Loaded loaded, load_weights(parts, plan, xnn, options, team, notes));
  model::Weights weights = model::bind_weights(plan, parts.config, loaded.packed.bytes().data());

  ModelInfo info = describe(parts, plan);
  info.isa = kernels::info(isa).name;
  info.dense_backend = xnn ? "xnnpack" : "native";
  info.threads = team.size();
  LFM_ASSIGN(std::unique_ptr<Runtime> runtime,
             Runtime::create(parts.config, weights, xnn, std::move(team), isa, options.chunk_tokens));
  const std::uint64_t identity_sum = base::checksum(parts.model.source->identity());
  // Last, so that who gives up leaves no file behind, nor waits for one.
  LFM_TRY(base::check_wanted(options.cancel));
  std::unique_ptr<CacheWriter> cache = loaded.keep ? keep(*loaded.keep, loaded.packed, options, notes) : nullptr;
  info.notes.insert(info.notes.end(), std::make_move_iterator(notes.begin()), std::make_move_iterator(notes.end()));
  return Model::share(std::unique_ptr<const Model>(
      new Model{std::move(parts.config), std::move(tokenizer), std::move(loaded.packed), std::move(weights),
                std::move(info), std::move(sampling), chat::read_template(chat_template), std::move(runtime),
                Fingerprint(identity_sum, loaded.sum), std::move(cache)}));
}

}  // namespace lfm::engine
