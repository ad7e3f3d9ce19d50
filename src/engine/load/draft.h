// A draft network beside the model that it drafts for.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/team.h"
#include "engine/load/loaded_weights.h"
#include "lfm/engine.h"
#include "model/draft_network.h"

namespace lfm::engine {

struct DraftModel {
  std::string path;
  PackedBytes packed;
  model::DraftNetwork network;              // over them and its target's embedding and head
  std::optional<CacheKey> keep = {};        // where the weights shall be kept
  std::unique_ptr<CacheWriter> cache = {};  // the last member: it reads the weights until it ends
};

// Of a file of its own, checked against the model.
//   kArgument  the file's network is none that drafts, or not for this model: field "draft" and what differs
//   and what loading a model says, with its path
Result<std::unique_ptr<DraftModel>> load_draft(const std::string& path, const model::Config& target,
                                               const model::Weights& weights, const EngineOptions& options,
                                               base::Team& team, std::vector<std::string>& notes);

// Begins to keep its packed weights, if it shall.
void keep_draft(DraftModel& draft, const EngineOptions& options, std::vector<std::string>& notes);

// kUnsupported for a network that drafts for another one alone.
Status check_talks(const ModelParts& parts);

}  // namespace lfm::engine
