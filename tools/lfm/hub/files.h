// Which of a repository's files make a model, and which model is meant by a name.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hub/name.h"
#include "lfm/result.h"

namespace lfm::hub {

struct RepositoryFile {
  std::string path;
  std::uint64_t bytes = 0;
};

struct ModelFiles {
  bool folder = false;             // of safetensors files, as transformers opens it; otherwise GGUF
  std::string name;                // what all paths of a GGUF model begin with
  std::string quant;               // as the name says; may be empty
  std::vector<std::string> paths;  // in the order in which a split file has them; config.json is the last of a folder
  std::uint64_t bytes = 0;

  std::string label() const;  // the quant, otherwise the name
};

// All of them. Split files without all parts are none, nor are those that go with a model: projectors, importance
// matrices, adapters.
std::vector<ModelFiles> models_in(std::span<const RepositoryFile> files);

// Without a quant or file that is Q4_0, which is the fastest, Q4_K_M, or another that lfm surely runs, or the only one.
//   kArgument  none or several are meant; the message names what there is
Result<ModelFiles> choose(std::span<const ModelFiles> models, const Name& name);

}  // namespace lfm::hub
