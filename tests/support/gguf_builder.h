// Builds GGUF files in memory, valid ones and ones that are wrong in exactly one place.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/gguf_value.h"
#include "format/metadata.h"
#include "format/tensor_type.h"

namespace lfm::test {

using format::array_bytes;
using format::bytes_of;
using format::string_bytes;

// An array of strings as a metadata value holds it.
std::string strings_bytes(const std::vector<std::string>& texts);

inline std::span<const std::byte> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Where a number stands in a built file.
struct Field {
  std::string name;
  std::size_t offset;
  std::size_t width;  // bytes: 1, 2, 4 or 8
};

struct GgufBuilder {
  struct Entry {
    std::string key;
    std::uint32_t type;
    std::string value;                             // all bytes behind the type
    std::optional<std::uint64_t> key_length = {};  // where it isn't the key's own
  };

  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> dims;  // fastest first
    std::uint32_t type;
    std::string data;
    std::optional<std::uint64_t> name_length = {};
    std::optional<std::uint32_t> rank = {};
    std::optional<std::uint64_t> offset = {};  // into the data; by default the tensors lie one after another
  };

  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::optional<std::uint64_t> tensor_count;
  std::optional<std::uint64_t> entry_count;
  std::uint64_t alignment = 32;
  std::vector<Entry> entries;
  std::vector<Tensor> tensors;

  // Adds a key or replaces the value that it has.
  void set(const std::string& key, format::ValueType type, std::string value);
  void set_u32(const std::string& key, std::uint32_t value);
  void set_f32(const std::string& key, float value);
  void set_string(const std::string& key, std::string_view value);
  void set_strings(const std::string& key, const std::vector<std::string>& values);
  void set_i32s(const std::string& key, const std::vector<std::int32_t>& values);
  void erase(const std::string& key);

  // An F32 tensor of zeros.
  void add_tensor(const std::string& name, std::vector<std::uint64_t> dims);
  Tensor& tensor(std::string_view name);  // which must exist
  void erase_tensor(std::string_view name);

  // The file. `fields` gets the place of every number in the part before the data.
  std::string build(std::vector<Field>* fields = nullptr) const;
};

}  // namespace lfm::test
