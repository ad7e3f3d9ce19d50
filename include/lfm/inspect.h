// What a model file holds, without loading its weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lfm/engine.h"
#include "lfm/export.h"
#include "lfm/result.h"

namespace lfm {

struct TensorDescription {
  std::string name;
  std::string type;                  // "Q4_0"
  std::vector<std::uint64_t> shape;  // rows (outputs) first, as in the network's own code
  std::uint64_t bytes = 0;
  std::uint64_t offset = 0;  // from the start of the file
};

struct FileDescription {
  ModelInfo info;  // without isa, dense_backend and threads, which belong to a loaded model
  std::uint32_t gguf_version = 0;  // 0 for other formats
  std::vector<TensorDescription> tensors;
};

// Checks the file as Engine::open does, tensor data excepted. Errors as there.
LFM_API Result<FileDescription> inspect(const std::string& path);

}  // namespace lfm
