#include "format/metadata.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/file.h"
#include "base/try.h"
#include "format/by_name.h"
#include "format/cursor.h"

namespace lfm::format {
namespace {

std::string describe(const Metadata::Entry& entry) {
  if (entry.type != ValueType::kArray) return to_string(entry.type);
  return "array of " + std::string(to_string(entry.element));
}

Error wrong_type(const Metadata::Entry& entry, const std::string& expected) {
  return Error{ErrorCode::kFormat, "is " + describe(entry) + ", expected " + expected, base::printable(entry.key, 64),
               Error::kNone, entry.offset};
}

Error missing(std::string_view key) {
  return Error{ErrorCode::kFormat, "the key is missing", base::printable(key, 64)};
}

template <typename T>
Result<T> require(Result<std::optional<T>> found, std::string_view key) {
  if (!found.ok()) return std::move(found).error();
  if (!found->has_value()) return missing(key);
  return **std::move(found);
}

}  // namespace

const char* to_string(ValueType type) noexcept {
  static constexpr const char* kNames[] = {"uint8",   "int8",   "uint16", "int16",  "uint32", "int32",  "float32",
                                           "boolean", "string", "array",  "uint64", "int64",  "float64"};
  return kNames[static_cast<std::size_t>(type)];
}

Error Metadata::error(std::string_view key, std::string message, ErrorCode code) const {
  const Entry* entry = find(key);
  return Error{code, std::move(message), base::printable(key, 64), Error::kNone,
               entry != nullptr ? entry->offset : Error::kNone};
}

std::string_view StringArray::operator[](std::size_t i) const noexcept {
  const std::byte* text = header_ + starts_[i];
  const auto length = load<std::uint64_t>(text - sizeof(std::uint64_t));
  return {reinterpret_cast<const char*>(text), static_cast<std::size_t>(length)};
}

const Metadata::Entry* Metadata::find(std::string_view key) const noexcept {
  return find_by(entries_, by_key_, &Entry::key, key);
}

std::string_view Metadata::value_bytes(const Entry& entry) const noexcept {
  const std::uint32_t before = entry.type == ValueType::kArray ? 12 : entry.type == ValueType::kString ? 8 : 0;
  const std::uint32_t begin = entry.offset - before;  // element type and count, or length
  return {reinterpret_cast<const char*>(header_ + begin), entry.end - begin};
}

Result<std::optional<std::uint64_t>> Metadata::find_unsigned(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr) return std::optional<std::uint64_t>();
  const std::byte* bytes = header_ + entry->offset;
  std::int64_t value = 0;
  switch (entry->type) {
    case ValueType::kUint8:
      return std::optional<std::uint64_t>(load<std::uint8_t>(bytes));
    case ValueType::kUint16:
      return std::optional<std::uint64_t>(load<std::uint16_t>(bytes));
    case ValueType::kUint32:
      return std::optional<std::uint64_t>(load<std::uint32_t>(bytes));
    case ValueType::kUint64:
      return std::optional<std::uint64_t>(load<std::uint64_t>(bytes));
    case ValueType::kInt8:
      value = load<std::int8_t>(bytes);
      break;
    case ValueType::kInt16:
      value = load<std::int16_t>(bytes);
      break;
    case ValueType::kInt32:
      value = load<std::int32_t>(bytes);
      break;
    case ValueType::kInt64:
      value = load<std::int64_t>(bytes);
      break;
    default:
      return wrong_type(*entry, "an integer");
  }
  if (value < 0) return error(key, std::to_string(value) + " is negative");
  return std::optional(static_cast<std::uint64_t>(value));
}

Result<std::uint64_t> Metadata::require_unsigned(std::string_view key) const {
  return require(find_unsigned(key), key);
}

Result<std::optional<double>> Metadata::find_float(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr) return std::optional<double>();
  if (entry->type == ValueType::kFloat32) return std::optional<double>(load<float>(header_ + entry->offset));
  if (entry->type == ValueType::kFloat64) return std::optional<double>(load<double>(header_ + entry->offset));
  return wrong_type(*entry, "float32");
}

Result<double> Metadata::require_float(std::string_view key) const {
  return require(find_float(key), key);
}

Result<std::optional<bool>> Metadata::find_bool(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr) return std::optional<bool>();
  if (entry->type != ValueType::kBool) return wrong_type(*entry, "boolean");
  return std::optional<bool>(header_[entry->offset] != std::byte{0});
}

Result<std::optional<std::string_view>> Metadata::find_string(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr) return std::optional<std::string_view>();
  if (entry->type != ValueType::kString) return wrong_type(*entry, "string");
  return std::optional<std::string_view>(std::in_place, reinterpret_cast<const char*>(header_ + entry->offset),
                                         static_cast<std::size_t>(entry->count));
}

Result<std::string_view> Metadata::require_string(std::string_view key) const {
  return require(find_string(key), key);
}

Result<std::optional<StringArray>> Metadata::find_strings(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr) return std::optional<StringArray>();
  if (entry->type != ValueType::kArray || entry->element != ValueType::kString)
    return wrong_type(*entry, "array of string");
  return std::optional<StringArray>(std::in_place, header_, string_starts_.data() + entry->first_start,
                                    static_cast<std::size_t>(entry->count));
}

Result<StringArray> Metadata::require_strings(std::string_view key) const {
  return require(find_strings(key), key);
}

Result<std::optional<std::vector<std::int32_t>>> Metadata::find_integers(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry == nullptr) return std::optional<std::vector<std::int32_t>>();
  const bool is_unsigned = entry->element == ValueType::kUint32;
  if (entry->type != ValueType::kArray || !(is_unsigned || entry->element == ValueType::kInt32))
    return wrong_type(*entry, "array of int32");
  std::vector<std::int32_t> values(entry->count);
  if (!values.empty()) std::memcpy(values.data(), header_ + entry->offset, values.size() * sizeof(std::int32_t));
  if (is_unsigned) {
    const auto wrapped = std::find_if(values.begin(), values.end(), [](std::int32_t value) { return value < 0; });
    if (wrapped != values.end()) {
      Error wrong = error(key, std::to_string(static_cast<std::uint32_t>(*wrapped)) + " is out of range");
      wrong.index = static_cast<std::uint64_t>(wrapped - values.begin());
      wrong.offset += wrong.index * sizeof(std::int32_t);
      return wrong;
    }
  }
  return std::optional(std::move(values));
}

Result<std::vector<std::int32_t>> Metadata::require_integers(std::string_view key) const {
  return require(find_integers(key), key);
}

}  // namespace lfm::format
