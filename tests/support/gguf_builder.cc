#include "support/gguf_builder.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace lfm::test {
namespace {

using format::ValueType;

std::size_t number_width(ValueType type) {
  switch (type) {
    case ValueType::kUint8:
    case ValueType::kInt8:
    case ValueType::kBool:
      return 1;
    case ValueType::kUint16:
    case ValueType::kInt16:
      return 2;
    case ValueType::kUint32:
    case ValueType::kInt32:
    case ValueType::kFloat32:
      return 4;
    default:
      return 8;
  }
}

class Writer {
 public:
  explicit Writer(std::vector<Field>* fields) : fields_(fields) {}

  void raw(std::string_view bytes) { file_ += bytes; }

  template <typename T>
  void number(const std::string& name, T value) {
    note(name, file_.size(), sizeof value);
    file_ += bytes_of(value);
  }

  void note(const std::string& name, std::size_t offset, std::size_t width) {
    if (fields_ != nullptr) fields_->push_back({name, offset, width});
  }

  // The numbers inside a value that is well formed.
  void value(const std::string& name, std::uint32_t type, const std::string& bytes) {
    const std::size_t start = file_.size();
    raw(bytes);
    if (fields_ == nullptr) return;
    if (static_cast<ValueType>(type) != ValueType::kArray) {
      note(name, start, number_width(static_cast<ValueType>(type)));
      return;
    }
    note(name + " element type", start, 4);
    note(name + " count", start + 4, 8);
    std::uint32_t element;
    std::memcpy(&element, bytes.data(), sizeof element);
    const bool strings = static_cast<ValueType>(element) == ValueType::kString;
    const std::size_t width = number_width(static_cast<ValueType>(element));
    for (std::size_t at = 12; at + width <= bytes.size();) {
      note(name + " element", start + at, width);
      std::uint64_t length = 0;
      if (strings) std::memcpy(&length, bytes.data() + at, sizeof length);
      at += width + length;
    }
  }

  void pad(std::uint64_t alignment) {
    while (file_.size() % alignment != 0) file_ += '\0';
  }

  std::string take() { return std::move(file_); }

 private:
  std::vector<Field>* fields_;
  std::string file_;
};

}  // namespace

std::string strings_bytes(const std::vector<std::string>& texts) {
  std::string elements;
  for (const std::string& text : texts) elements += string_bytes(text);
  return array_bytes(static_cast<std::uint32_t>(ValueType::kString), texts.size(), elements);
}

void GgufBuilder::set(const std::string& key, ValueType type, std::string value) {
  const auto number = static_cast<std::uint32_t>(type);
  const auto at = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == key; });
  if (at == entries.end()) {
    entries.push_back({key, number, std::move(value)});
  } else {
    at->type = number;
    at->value = std::move(value);
  }
}

void GgufBuilder::set_u32(const std::string& key, std::uint32_t value) {
  set(key, ValueType::kUint32, bytes_of(value));
}

void GgufBuilder::set_f32(const std::string& key, float value) {
  set(key, ValueType::kFloat32, bytes_of(value));
}

void GgufBuilder::set_string(const std::string& key, std::string_view value) {
  set(key, ValueType::kString, string_bytes(value));
}

void GgufBuilder::set_strings(const std::string& key, const std::vector<std::string>& values) {
  set(key, ValueType::kArray, strings_bytes(values));
}

void GgufBuilder::set_i32s(const std::string& key, const std::vector<std::int32_t>& values) {
  std::string elements;
  for (const std::int32_t value : values) elements += bytes_of(value);
  set(key, ValueType::kArray, array_bytes(static_cast<std::uint32_t>(ValueType::kInt32), values.size(), elements));
}

void GgufBuilder::erase(const std::string& key) {
  std::erase_if(entries, [&](const Entry& e) { return e.key == key; });
}

void GgufBuilder::add_tensor(const std::string& name, std::vector<std::uint64_t> dims) {
  std::uint64_t elements = 1;
  for (const std::uint64_t dim : dims) elements *= dim;
  tensors.push_back({name, std::move(dims), 0, std::string(elements * 4, '\0')});
}

GgufBuilder::Tensor& GgufBuilder::tensor(std::string_view name) {
  const auto at = std::find_if(tensors.begin(), tensors.end(), [&](const Tensor& t) { return t.name == name; });
  if (at == tensors.end()) throw std::out_of_range("no tensor " + std::string(name));
  return *at;
}

void GgufBuilder::erase_tensor(std::string_view name) {
  std::erase_if(tensors, [&](const Tensor& t) { return t.name == name; });
}

std::string GgufBuilder::build(std::vector<Field>* fields) const {
  Writer writer(fields);
  writer.raw(magic);
  writer.number("version", version);
  writer.number("tensor count", tensor_count.value_or(tensors.size()));
  writer.number("entry count", entry_count.value_or(entries.size()));
  for (const Entry& entry : entries) {
    writer.number(entry.key + " key length", entry.key_length.value_or(entry.key.size()));
    writer.raw(entry.key);
    writer.number(entry.key + " type", entry.type);
    writer.value(entry.key, entry.type, entry.value);
  }
  std::uint64_t next = 0;
  for (const Tensor& tensor : tensors) {
    writer.number(tensor.name + " name length", tensor.name_length.value_or(tensor.name.size()));
    writer.raw(tensor.name);
    writer.number(tensor.name + " rank", tensor.rank.value_or(static_cast<std::uint32_t>(tensor.dims.size())));
    for (const std::uint64_t dim : tensor.dims) writer.number(tensor.name + " dim", dim);
    writer.number(tensor.name + " type", tensor.type);
    writer.number(tensor.name + " offset", tensor.offset.value_or(next));
    next += (tensor.data.size() + alignment - 1) / alignment * alignment;
  }
  for (const Tensor& tensor : tensors) {
    writer.pad(alignment);
    writer.raw(tensor.data);
  }
  if (!tensors.empty()) writer.pad(alignment);
  return writer.take();
}

}  // namespace lfm::test
