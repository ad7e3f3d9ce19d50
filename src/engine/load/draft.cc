#include "engine/load/draft.h"

#include <utility>

#include "base/file.h"
#include "base/try.h"

namespace lfm::engine {
namespace {

Error unfit(const std::string& path, std::string message) {
  return Error{ErrorCode::kArgument, "the draft network " + base::printable(path) + ' ' + std::move(message), "draft"};
}

// With the file's name in front: the model's has fields of the same names.
Error of_draft(Error error, const std::string& path) {
  const std::string name = base::printable(path);
  if (!error.field.starts_with(name)) error.field = error.field.empty() ? name : name + ": " + error.field;
  return error;
}

Status check_fits(const std::string& path, const model::Config& config, const model::Config& target) {
  if (!config.drafts()) {
    return unfit(path, std::string("is a model by itself (") + model::to_string(config.architecture) +
                           "): one of architecture dflash, made for this model, is needed");
  }
  const auto differs = [&](const char* what, std::size_t its, std::size_t ours) {
    return unfit(path, std::string("was made for another model: it has ") + std::to_string(its) + ' ' + what +
                           ", the model " + std::to_string(ours));
  };
  if (config.hidden != target.hidden) return differs("channels", config.hidden, target.hidden);
  if (config.vocab != target.vocab) return differs("tokens", config.vocab, target.vocab);
  for (const std::size_t layer : config.draft.taps) {
    if (layer < target.layers.size()) continue;
    return unfit(path, "was made for another model: it reads what enters layer " + std::to_string(layer) +
                           ", the model has " + std::to_string(target.layers.size()));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<DraftModel>> load_draft(const std::string& path, const model::Config& target,
                                               const model::Weights& weights, const EngineOptions& options,
                                               base::Team& team, std::vector<std::string>& notes) {
  auto parts = ModelParts::open(path);
  if (!parts.ok()) return of_draft(std::move(parts).error(), path);
  LFM_TRY(check_fits(path, parts->config, target));
  const model::PackPlan plan = model::plan_weights(parts->table, std::nullopt);
  if (layout_of(parts->model)) return unfit(path, "was packed for xnnpack: pack it again for native");
  auto loaded = load_weights({*parts, plan}, std::nullopt, options, team, notes);
  if (!loaded.ok()) return of_draft(std::move(loaded).error(), path);
  model::Weights own = model::bind_weights(plan, parts->config, loaded->packed.bytes().data());
  auto network = model::DraftNetwork::create(std::move(parts->config), std::move(own), weights);
  if (!model::can_take_taps(network)) {
    return of_draft(Error{ErrorCode::kUnsupported,
                          "the channels of a layer, " + std::to_string(network.config.hidden) +
                              ", aren't a multiple of the columns that its type's groups have",
                          "fc.weight"},
                    path);
  }
  return std::unique_ptr<DraftModel>(
      new DraftModel{path, std::move(loaded->packed), std::move(network), std::move(loaded->keep)});
}

void keep_draft(DraftModel& draft, const EngineOptions& options, std::vector<std::string>& notes) {
  if (draft.keep) draft.cache = keep_weights(*draft.keep, draft.packed, options, notes);
}

Status check_talks(const ModelParts& parts) {
  if (!parts.config.drafts()) return {};
  return Error{ErrorCode::kUnsupported,
               "the file holds a draft network, which guesses what another model says next: open it beside that model",
               "general.architecture"};
}

}  // namespace lfm::engine
