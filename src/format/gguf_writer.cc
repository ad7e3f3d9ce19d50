#include "format/gguf_writer.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "format/gguf_value.h"

namespace lfm::format {
namespace {

constexpr std::uint32_t kVersion = 3;
constexpr std::uint64_t kAlignment = 32;  // the format's own, where a file names no other
constexpr const char* kAlignmentKey = "general.alignment";

std::string strings_value(std::span<const std::string> texts) {
  std::string elements;
  for (const std::string& text : texts) elements += string_bytes(text);
  return array_bytes(static_cast<std::uint32_t>(ValueType::kString), texts.size(), elements);
}

}  // namespace

void GgufWriter::set(std::string_view key, ValueType type, std::string value) {
  const auto at = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.key == key; });
  if (at == entries_.end()) {
    entries_.push_back({std::string(key), type, std::move(value)});
  } else {
    at->type = type;
    at->value = std::move(value);
  }
}

void GgufWriter::set_u32(const std::string& key, std::uint32_t value) {
  set(key, ValueType::kUint32, bytes_of(value));
}

void GgufWriter::set_u64(const std::string& key, std::uint64_t value) {
  set(key, ValueType::kUint64, bytes_of(value));
}

void GgufWriter::set_f32(const std::string& key, float value) {
  set(key, ValueType::kFloat32, bytes_of(value));
}

void GgufWriter::set_bool(const std::string& key, bool value) {
  set(key, ValueType::kBool, bytes_of(static_cast<std::uint8_t>(value)));
}

void GgufWriter::set_string(const std::string& key, std::string_view value) {
  set(key, ValueType::kString, string_bytes(value));
}

void GgufWriter::set_strings(const std::string& key, std::span<const std::string> values) {
  set(key, ValueType::kArray, strings_value(values));
}

void GgufWriter::set_i32s(const std::string& key, std::span<const std::int32_t> values) {
  const std::string_view elements(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  set(key, ValueType::kArray, array_bytes(static_cast<std::uint32_t>(ValueType::kInt32), values.size(), elements));
}

void GgufWriter::copy(const Metadata& metadata) {
  for (const Metadata::Entry& entry : metadata.entries()) {
    // The data is laid out anew, in one file.
    if (entry.key != kAlignmentKey && !entry.key.starts_with("split."))
      set(entry.key, entry.type, std::string(metadata.value_bytes(entry)));
  }
}

std::size_t GgufWriter::add_tensor(std::string_view name, TensorType type, std::span<const std::uint64_t> dims) {
  std::uint64_t bytes = block_bytes(type) * (dims[0] / block_columns(type));
  for (std::size_t i = 1; i < dims.size(); ++i) bytes *= dims[i];
  tensors_.push_back({std::string(name), type, {dims.begin(), dims.end()}, bytes});
  return tensors_.size() - 1;
}

GgufWriter::Layout GgufWriter::layout() const {
  std::string header =
      "GGUF" + bytes_of(kVersion) + bytes_of(std::uint64_t{tensors_.size()}) + bytes_of(std::uint64_t{entries_.size()});
  for (const Entry& entry : entries_) {
    header += string_bytes(entry.key) + bytes_of(static_cast<std::uint32_t>(entry.type)) + entry.value;
  }
  Layout layout;
  std::uint64_t next = 0;
  for (const Tensor& tensor : tensors_) {
    header += string_bytes(tensor.name) + bytes_of(static_cast<std::uint32_t>(tensor.dims.size()));
    for (const std::uint64_t dim : tensor.dims) header += bytes_of(dim);
    header += bytes_of(static_cast<std::uint32_t>(tensor.type)) + bytes_of(next);
    layout.offsets.push_back(next);
    next += base::round_up(tensor.bytes, kAlignment);
  }
  header.resize(base::round_up(header.size(), kAlignment));
  for (std::uint64_t& offset : layout.offsets) offset += header.size();
  layout.file_bytes = header.size() + next;
  layout.header = std::move(header);
  return layout;
}

}  // namespace lfm::format
