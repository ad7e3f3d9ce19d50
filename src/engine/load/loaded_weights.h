// Weights in memory, wherever they come from: a packed file, the pack cache, or packed on the spot.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/team.h"
#include "engine/load/model_parts.h"
#include "engine/load/pack_cache.h"
#include "lfm/engine.h"
#include "model/weights.h"

namespace lfm::engine {

// What is packed, and how its rows are read.
struct Reading {
  const ModelParts& parts;
  const model::PackPlan& plan;
  model::RowReader rows = nullptr;  // none: as the files have them
};

struct Loaded {
  PackedBytes packed;
  std::optional<CacheKey> keep = {};      // where they shall be kept
  std::optional<std::uint64_t> sum = {};  // format::PackFile::weights_sum
};

// Notes say what came of the cache. Errors as of load_packed and pack_weights.
Result<Loaded> load_weights(const Reading& reading, std::optional<ops::XnnLayout> xnn, const EngineOptions& options,
                            base::Team& team, std::vector<std::string>& notes);

// Begins to keep them, while they are in use. That they can't be kept is no error, but a note.
std::unique_ptr<CacheWriter> keep_weights(const CacheKey& key, const PackedBytes& packed, const EngineOptions& options,
                                          std::vector<std::string>& notes);

}  // namespace lfm::engine
