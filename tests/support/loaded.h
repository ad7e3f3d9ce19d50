// A file's metadata, configuration and table of tensors: all that is known of a model before its weights are read.
#pragma once

#include <string>

#include "format/gguf.h"
#include "model/config.h"
#include "model/tensor_table.h"
#include "support/gguf_builder.h"

namespace lfm::test {

struct Loaded {
  format::Gguf gguf;
  model::Config config;
  model::TensorTable table;  // points into gguf
};

inline Result<Loaded> load(std::span<const std::byte> file) {
  auto gguf = format::Gguf::parse(file);
  if (!gguf.ok()) return std::move(gguf).error();
  auto config = model::read_config(*gguf);
  if (!config.ok()) return std::move(config).error();
  auto table = model::match_tensors(*gguf, *config);
  if (!table.ok()) return std::move(table).error();
  return Loaded{*std::move(gguf), *std::move(config), *std::move(table)};
}

inline Result<Loaded> load(const GgufBuilder& file) {
  return load(as_bytes(file.build()));
}

}  // namespace lfm::test
