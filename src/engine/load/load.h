// Model files to models, and what else is done with a model file.
#pragma once

#include <memory>
#include <string>

#include "engine/model.h"
#include "lfm/engine.h"
#include "lfm/inspect.h"
#include "lfm/pack.h"
#include "text/tokenizer.h"

namespace lfm::engine {

Result<std::shared_ptr<const Model>> load_model(const std::string& path, const EngineOptions& options);

Result<FileDescription> describe_file(const std::string& path);

Result<text::Tokenizer> load_tokenizer(const std::string& path);

Result<PackInfo> pack_model(const std::string& path, const std::string& out, const PackOptions& options);
// Of a file `out` that is to be made of the model at `path`.   kArgument  it is the model itself or no regular file, or
// is there and overwrite is false
Status check_new_file(const std::string& path, const std::string& out, bool overwrite);

Result<PackInfo> verify_model(const std::string& path, const VerifyOptions& options);

}  // namespace lfm::engine
