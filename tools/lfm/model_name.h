// How a command's model is named: as a file or folder here, or as a model on the hub, which is downloaded where it
// isn't here yet.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "hub/name.h"
#include "hub/pull.h"
#include "lfm/result.h"
#include "options.h"

namespace lfm::cli {

struct ModelName {
  std::string path;  // of the file or folder: with_model() sets it

  std::optional<std::string> typed;       // -m, or the argument without a name: a path, or a name on the hub
  std::optional<std::string> repository;  // -hf: a name on the hub
  std::optional<std::string> file;        // -hff: a file in that repository
};

void add_model_option(Command& command, ModelName& name, const char* help = "GGUF or packed file of an LFM2 model");

// Finds the model, sets the path, and does `action`; where there is no model, says why and what to do.
int with_model(ModelName& name, const std::function<int()>& action);

// A model on the hub, as -hf and -hff name it.   kArgument
Result<hub::Name> name_on_the_hub(const std::string& repository, const std::optional<std::string>& file);

// hub::pull(), which tells on standard error how far it is, and ends at Ctrl-C with a word on what the same command
// does.
Result<hub::Pulled> pull_model(const hub::Name& name, bool update);

}  // namespace lfm::cli
