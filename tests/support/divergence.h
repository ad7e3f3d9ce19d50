// How far a model's distributions are from those of a better file of it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "engine/model.h"

namespace lfm::test {

using LogProbabilities = std::vector<std::vector<float>>;  // of every position, (vocabulary)

// The tests and scripts/quality run every file with the reference's embedding and head, which are half of a small
// network and little of a large one.
using LoadedModel = std::shared_ptr<const engine::Model>;
LoadedModel open_model(const std::string& path);

// Of texts, each by itself, in the form in which a model gets them; each `<|startoftext|>` begins another one. At most
// about `tokens` of them. Throws where something fails.
LogProbabilities log_probabilities(const engine::Model& model, const engine::Model& reference, const std::string& text,
                                   std::size_t tokens);

// The mean over positions, in nats.
double divergence(const LogProbabilities& reference, const LogProbabilities& found);

}  // namespace lfm::test
