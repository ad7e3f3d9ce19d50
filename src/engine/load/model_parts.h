// What is known of a model before its weights are read, and how they would lie.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/load/model_file.h"
#include "lfm/engine.h"
#include "lfm/result.h"
#include "model/config.h"
#include "model/tensor_table.h"
#include "model/weights.h"
#include "ops/xnn_linear.h"
#include "text/tokenizer.h"

namespace lfm::engine {

struct ModelParts {
  ModelFile model;
  model::Config config;
  model::TensorTable table;  // points into model.source

  // Errors as of ModelFile::open, Source::config and match_tensors.
  static Result<ModelParts> open(const std::string& path);

  // kFormat where its size isn't the embedding's; else as load_tokenizer.
  Result<text::Tokenizer> tokenizer() const;
};

ModelInfo describe(const ModelParts& parts, const model::PackPlan& plan);

// How dense 4-bit matrices are packed: of a packed file, as the file has it; else as the backend wants it
// (kAuto: native), and where XNNPACK doesn't run here, for the native kernels, with a note.
//   kUnsupported  the file was packed for another layout than this library's or this machine's XNNPACK
//   kArgument     the file was packed for XNNPACK, and the native kernels are asked for
Result<std::optional<ops::XnnLayout>> choose_dense(const ModelFile& model, DenseBackend wanted,
                                                   std::vector<std::string>& notes);

// XNNPACK's layout that a packed file's weights have, if they have one.
std::optional<ops::XnnLayout> layout_of(const ModelFile& model) noexcept;

// kFormat where a packed file's weights aren't as large as the plan of its own header.
Status check_size(const ModelParts& parts, const model::PackPlan& plan);

}  // namespace lfm::engine
