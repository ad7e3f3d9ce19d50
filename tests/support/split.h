// Parts of a model as llama-gguf-split writes them.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "support/gguf_builder.h"

namespace lfm::test {

// The name of part i (from 0) of `count`.
inline std::string part_name(const std::string& prefix, std::size_t i, std::size_t count) {
  char ending[64];
  std::snprintf(ending, sizeof ending, "-%05zu-of-%05zu.gguf", i + 1, count);
  return prefix + ending;
}

// Cuts a file into `count` parts of about the same number of tensors; the first may have none.
inline std::vector<GgufBuilder> split(const GgufBuilder& whole, std::size_t count, bool tensors_in_first = true) {
  std::vector<GgufBuilder> parts(count);
  parts[0].entries = whole.entries;
  for (std::size_t i = 0; i < count; ++i) {
    const auto u16 = [](std::size_t value) { return bytes_of(static_cast<std::uint16_t>(value)); };
    parts[i].set("split.no", format::ValueType::kUint16, u16(i));
    parts[i].set("split.count", format::ValueType::kUint16, u16(count));
    parts[i].set("split.tensors.count", format::ValueType::kInt32,
                 bytes_of(static_cast<std::int32_t>(whole.tensors.size())));
  }
  const std::size_t first = tensors_in_first ? 0 : 1;
  for (std::size_t i = 0; i < whole.tensors.size(); ++i)
    parts[first + i * (count - first) / whole.tensors.size()].tensors.push_back(whole.tensors[i]);
  return parts;
}

}  // namespace lfm::test
