// A model's files as the engine sees them, whatever their format. To add a format: fill one of these, and have open()
// and restore() know it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "format/gguf_writer.h"
#include "lfm/result.h"
#include "model/config.h"
#include "model/tensor_table.h"
#include "text/tokenizer_data.h"

namespace lfm::source {

// A sampling option that the model's makers recommend.
struct SamplingHint {
  std::string_view option;  // as SamplingOptions calls it; static
  double value = 0;
  Error place;  // where it stands, for errors about it; without a message
};

// All views are valid as long as the source. The functions read what has been in memory since open().
struct Source {
  std::vector<base::File> files;  // what FileTensor's places are in; none after restore()
  std::uint64_t bytes = 0;        // of all files
  model::Naming naming = model::Naming::kGguf;
  std::vector<model::FileTensor> tensors;  // all that the files list; no two overlap, each lies within its file
  std::uint32_t gguf_version = 0;          // 0 for other formats

  virtual ~Source() = default;

  //   kFormat       something is missing, of a wrong type or out of range, or contradicts something else
  //   kUnsupported  another architecture, or a feature that this library doesn't run
  virtual Result<model::Config> config() const = 0;
  virtual Result<text::TokenizerData> tokenizer() const = 0;                  // kFormat
  virtual Result<std::optional<std::string_view>> chat_template() const = 0;  // kFormat
  virtual Result<std::vector<SamplingHint>> sampling() const = 0;             // kFormat

  // What all of these read, as keys of a GGUF file.
  virtual void write_keys(format::GgufWriter& writer) const = 0;

  // Everything but the weights, and which model it is.
  virtual std::vector<std::byte> identity() const = 0;
};

// Opens a model: a GGUF file, or any part of one that llama-gguf-split has split (PREFIX-00001-of-00005.gguf), whose
// other parts lie beside it.
//   kFormat, kUnsupported, kLimit  as format::Gguf::read;  kFormat  parts that don't belong together
//   kIo                            from the files
Result<std::unique_ptr<Source>> open(base::File file);
// Likewise a folder as Hugging Face has it: config.json, tokenizer.json and safetensors.
//   kFormat       a file isn't what its name says, or contradicts another
//   kUnsupported  another architecture or tokenizer;   kLimit  files that are larger than any model's
//   kIo           a file is missing, or a link that leads out of the folder
Result<std::unique_ptr<Source>> open_folder(const std::string& folder);

// What was opened when identity() gave these bytes, without the files.
Result<std::unique_ptr<Source>> restore(std::span<const std::byte> identity);

}  // namespace lfm::source
