// Systematic damage to a whole model file: every number replaced by the values at which arithmetic goes wrong, every
// prefix, single bytes. Whatever comes of it must be a clean result within a second of processor time and 64 MiB.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "support/alloc_meter.h"
#include "support/loaded.h"
#include "support/tiny_model.h"

namespace lfm::test {

inline constexpr std::size_t kMaxExtraBytes = std::size_t{64} << 20;

// What is true of every file that was accepted.
inline void expect_consistent(const Loaded& loaded) {
  std::uint64_t bytes = 0;
  const std::uint64_t file_bytes = loaded.source->bytes;
  for (const auto& tensor : loaded.source->tensors) {
    EXPECT_LE(tensor.place.offset, file_bytes);
    EXPECT_LE(tensor.bytes, file_bytes - tensor.place.offset);
    EXPECT_EQ(tensor.bytes, tensor.elements() / tensor.block_columns * tensor.block_bytes);
    bytes += tensor.bytes;
  }
  EXPECT_EQ(loaded.table.totals.bytes, bytes);
  EXPECT_LE(bytes, file_bytes);
  EXPECT_EQ(loaded.table.tensors.size(), loaded.source->tensors.size());
}

// Loads a file and holds the result to the promises. Returns the error, if it is one.
inline std::optional<Error> expect_clean(const std::string& file, const std::string& what) {
  const std::clock_t start = std::clock();
  AllocMeter meter;
  std::optional<Error> error;
  {
    const auto loaded = load(as_bytes(file));
    if (loaded.ok()) {
      expect_consistent(*loaded);
    } else {
      error = loaded.error();
      EXPECT_FALSE(error->message.empty()) << what;
      EXPECT_FALSE(error->field.empty()) << what << ": " << error->message;
    }
  }
  EXPECT_LE(meter.peak_bytes(), file.size() + kMaxExtraBytes) << what;
  EXPECT_LE(std::clock() - start, CLOCKS_PER_SEC) << what;
  return error;
}

// The values that take the place of `value` in a field of `width` bytes.
inline std::vector<std::uint64_t> replacements(std::uint64_t value, std::size_t width) {
  const std::uint64_t mask = width == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * width) - 1;
  std::vector<std::uint64_t> values;
  for (const std::uint64_t v : {std::uint64_t{0}, std::uint64_t{1}, value - 1, value + 1, (std::uint64_t{1} << 31) - 1,
                                std::uint64_t{1} << 31, (std::uint64_t{1} << 32) - 1, std::uint64_t{1} << 32,
                                (std::uint64_t{1} << 63) - 1, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    if ((v & mask) != value) values.push_back(v & mask);
  }
  return values;
}

// Replaces every `stride`-th number of the file in turn. Returns how many files that were.
inline std::size_t mutate_fields(const TinyModel& model, std::size_t stride) {
  std::vector<Field> fields;
  const std::string whole = model.builder().build(&fields);
  std::size_t files = 0;
  for (std::size_t i = 0; i < fields.size(); i += stride) {
    const Field& field = fields[i];
    std::uint64_t value = 0;
    std::memcpy(&value, whole.data() + field.offset, field.width);
    for (const std::uint64_t replacement : replacements(value, field.width)) {
      std::string file = whole;
      std::memcpy(file.data() + field.offset, &replacement, field.width);
      expect_clean(file, field.name + " = " + std::to_string(replacement));
      ++files;
    }
  }
  return files;
}

// Every prefix up to the data and every `stride`-th beyond is refused. Returns how many files that were.
inline std::size_t truncate(const TinyModel& model, std::size_t stride) {
  const std::string whole = model.build();
  const auto loaded = load(as_bytes(whole));
  EXPECT_TRUE(loaded.ok());
  if (!loaded.ok()) return 0;
  const auto& last = loaded->source->tensors.back();
  const std::size_t header = format::Gguf::parse(as_bytes(whole))->data_offset();
  std::size_t files = 0;
  for (std::size_t size = 0; size < last.place.offset + last.bytes; size += size < header ? 1 : stride) {
    EXPECT_TRUE(expect_clean(whole.substr(0, size), "prefix of " + std::to_string(size) + " bytes").has_value());
    ++files;
  }
  return files;
}

// A model whose file is a few kilobytes.
inline TinyModel smallest_model() {
  TinyModel tiny;
  tiny.hidden = tiny.ffn_width = tiny.expert_width = 32;
  tiny.heads = 1;
  tiny.kv_heads = {0, 1};
  tiny.experts = 2;
  tiny.experts_used = 1;
  tiny.vocab = 4;
  tiny.tokenizer = false;
  tiny.matrices = tiny.embedding = format::TensorType::kQ4_0;
  return tiny;
}

}  // namespace lfm::test
