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
Result<PackInfo> verify_model(const std::string& path, const VerifyOptions& options);

}  // namespace lfm::engine
