#include "engine/load/loaded_weights.h"

#include <cstdio>
#include <utility>

#include "base/file.h"
#include "base/try.h"
#include "engine/load/cache_folder.h"

namespace lfm::engine {
namespace {

// "PATH (4.36 GiB)"
std::string path_and_size(const std::string& path, std::uint64_t bytes) {
  char size[32];
  std::snprintf(size, sizeof size, " (%.2f GiB)", static_cast<double>(bytes) / 0x1p30);
  return base::printable(path) + size;
}

Result<PackedBytes> pack_into_memory(const Reading& reading, const EngineOptions& options, base::Team& team) {
  LFM_ASSIGN(base::Memory memory, base::Memory::allocate(reading.plan.bytes, base::Memory::Pages::kHuge));
  const std::span<std::byte> packed(memory.data(), memory.size());
  base::Work work = open_work(options, OpenPhase::kPacking, reading.parts.table.totals.bytes);
  LFM_TRY(reading.rows ? model::pack_weights(reading.rows, reading.plan, team, work, packed)
                       : model::pack_weights(reading.parts.model.source->files, reading.plan, team, work, packed));
  return PackedBytes(std::move(memory));
}

// Takes the weights of a file that isn't packed from the cache, or packs them. That there is no usable cache is never
// an error.
Result<Loaded> load_through_cache(const Reading& reading, std::optional<ops::XnnLayout> xnn,
                                  const EngineOptions& options, base::Team& team, std::vector<std::string>& notes) {
  auto key = CacheKey::of(options.pack_cache, reading.parts.model, pack_layout(xnn),
                          reading.rows ? options.weights : std::nullopt, reading.plan.bytes);
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
  LFM_ASSIGN(PackedBytes packed, pack_into_memory(reading, options, team));
  if (key.ok()) return Loaded{std::move(packed), *std::move(key)};
  notes.push_back("packed weights aren't kept: " + key.error().describe());
  return Loaded{std::move(packed)};
}

}  // namespace

Result<Loaded> load_weights(const Reading& reading, std::optional<ops::XnnLayout> xnn, const EngineOptions& options,
                            base::Team& team, std::vector<std::string>& notes) {
  const ModelParts& parts = reading.parts;
  if (parts.model.packed) {
    LFM_TRY(check_size(parts, reading.plan));
    LFM_ASSIGN(PackedBytes packed, load_packed(*parts.model.packed, Owner::kUser, options, team));
    return Loaded{std::move(packed), std::nullopt, parts.model.packed->pack.weights_sum()};
  }
  if (!options.pack_cache.empty() && reading.plan.bytes >= options.pack_cache_min_bytes) {
    return load_through_cache(reading, xnn, options, team, notes);
  }
  LFM_ASSIGN(PackedBytes packed, pack_into_memory(reading, options, team));
  return Loaded{std::move(packed)};
}

std::unique_ptr<CacheWriter> keep_weights(const CacheKey& key, const PackedBytes& packed, const EngineOptions& options,
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

}  // namespace lfm::engine
