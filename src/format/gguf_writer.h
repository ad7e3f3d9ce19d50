// The header of a GGUF file that is to be written, version 3: keys, tensors, and where the tensors' data goes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/metadata.h"
#include "format/tensor_type.h"

namespace lfm::format {

class GgufWriter {
 public:
  // Adds a key or replaces the value that it has.
  void set_u32(const std::string& key, std::uint32_t value);
  void set_u64(const std::string& key, std::uint64_t value);
  void set_f32(const std::string& key, float value);
  void set_bool(const std::string& key, bool value);
  void set_string(const std::string& key, std::string_view value);
  void set_strings(const std::string& key, std::span<const std::string> values);
  void set_i32s(const std::string& key, std::span<const std::int32_t> values);

  // The keys of another file, as it has them, but for those about where its data lies.
  void copy(const Metadata& metadata);

  // Tensors lie in the order in which they are added. Returns the number of this one. dims fastest first, 1 to 4 of
  // them; the first is a multiple of the type's block.
  std::size_t add_tensor(std::string_view name, TensorType type, std::span<const std::uint64_t> dims);

  // Where everything lies, once all is added.
  struct Layout {
    std::string header;                  // to the first byte of data
    std::vector<std::uint64_t> offsets;  // of each tensor in the file
    std::uint64_t file_bytes = 0;
  };
  Layout layout() const;

 private:
  struct Entry {
    std::string key;
    ValueType type;
    std::string value;  // all bytes behind the type
  };
  struct Tensor {
    std::string name;
    TensorType type;
    std::vector<std::uint64_t> dims;
    std::uint64_t bytes;
  };
  void set(std::string_view key, ValueType type, std::string value);

  std::vector<Entry> entries_;
  std::vector<Tensor> tensors_;
};

}  // namespace lfm::format
