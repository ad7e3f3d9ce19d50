// A file's configuration and table of tensors: all that is known of a model before its weights are read.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/gguf.h"
#include "model/config.h"
#include "model/tensor_table.h"
#include "source/gguf_source.h"
#include "support/gguf_builder.h"

namespace lfm::test {

struct Loaded {
  std::unique_ptr<source::Source> source;
  model::Config config;
  model::TensorTable table;  // points into source

  // The tensor of a name, which must be there.
  const model::Tensor& tensor(std::string_view name) const {
    for (const model::Tensor& tensor : table.tensors) {
      if (tensor.file.name == name) return tensor;
    }
    throw std::out_of_range("no tensor " + std::string(name));
  }
};

inline Result<Loaded> load(std::vector<format::Gguf> parts) {
  auto source = source::source_of(std::move(parts));
  if (!source.ok()) return std::move(source).error();
  auto config = (*source)->config();
  if (!config.ok()) return std::move(config).error();
  auto table = model::match_tensors((*source)->tensors, (*source)->naming, *config);
  if (!table.ok()) return std::move(table).error();
  return Loaded{*std::move(source), *std::move(config), *std::move(table)};
}

inline Result<Loaded> load(std::span<const std::byte> file) {
  auto gguf = format::Gguf::parse(file);
  if (!gguf.ok()) return std::move(gguf).error();
  std::vector<format::Gguf> parts;
  parts.push_back(*std::move(gguf));
  return load(std::move(parts));
}

inline Result<Loaded> load(const GgufBuilder& file) {
  return load(as_bytes(file.build()));
}

}  // namespace lfm::test
