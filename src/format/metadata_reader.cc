#include <algorithm>
#include <string>

#include "base/try.h"
#include "format/by_name.h"
#include "format/cursor.h"
#include "format/metadata.h"

namespace lfm::format {
namespace {

constexpr std::uint64_t kMaxKeyBytes = 65535;  // the format's own limit

// Bytes of a value in the file; of a string or an array, the least that it takes.
std::uint64_t value_bytes(ValueType type) noexcept {
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
    case ValueType::kUint64:
    case ValueType::kInt64:
    case ValueType::kFloat64:
    case ValueType::kString:
      return 8;
    case ValueType::kArray:
      return 12;
  }
  return 1;
}

}  // namespace

class MetadataReader {
 public:
  explicit MetadataReader(Cursor& cursor) : cursor_(cursor) { metadata_.header_ = cursor.buffer(); }

  Result<Metadata> run(std::uint64_t count) {
    std::vector<Metadata::Entry>& entries = metadata_.entries_;
    entries.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) LFM_TRY(parse_entry(i));
    metadata_.by_key_ = sorted_by(entries, &Metadata::Entry::key);
    if (const auto twice = duplicate(entries, metadata_.by_key_, &Metadata::Entry::key)) {
      cursor_.about(entries[*twice].key, *twice);
      return cursor_.error("the key is there twice", entries[*twice].offset);
    }
    return std::move(metadata_);
  }

 private:
  Status parse_entry(std::uint64_t index);
  Status parse_value(Metadata::Entry& entry);
  Status parse_array(Metadata::Entry& entry);
  Status check_bools(std::uint64_t offset, std::uint64_t count) const;
  Result<ValueType> parse_value_type();

  Cursor& cursor_;
  Metadata metadata_;
};

Status MetadataReader::parse_entry(std::uint64_t index) {
  cursor_.about("metadata key", index);
  Metadata::Entry entry;
  const std::uint64_t start = cursor_.position();
  LFM_ASSIGN(const std::uint64_t length, cursor_.number<std::uint64_t>());
  if (length == 0) return cursor_.error("the key is empty", start);
  if (length > kMaxKeyBytes)
    return cursor_.error("a key of " + std::to_string(length) + " bytes; the format allows 65535", start);
  LFM_ASSIGN(const std::byte* const key, cursor_.take(length));
  entry.key = {reinterpret_cast<const char*>(key), static_cast<std::size_t>(length)};
  cursor_.about(entry.key);
  LFM_ASSIGN(entry.type, parse_value_type());
  LFM_TRY(parse_value(entry));
  entry.end = static_cast<std::uint32_t>(cursor_.position());
  metadata_.entries_.push_back(entry);
  return {};
}

Result<ValueType> MetadataReader::parse_value_type() {
  const std::uint64_t start = cursor_.position();
  LFM_ASSIGN(const std::uint32_t number, cursor_.number<std::uint32_t>());
  if (number > static_cast<std::uint32_t>(ValueType::kFloat64))
    return cursor_.error("value type " + std::to_string(number) + " doesn't exist", start);
  return static_cast<ValueType>(number);
}

Status MetadataReader::parse_value(Metadata::Entry& entry) {
  if (entry.type == ValueType::kArray) return parse_array(entry);
  std::uint64_t bytes = value_bytes(entry.type);
  if (entry.type == ValueType::kString) {
    LFM_ASSIGN(bytes, cursor_.number<std::uint64_t>());
    entry.count = bytes;
  }
  const std::uint64_t start = cursor_.position();
  LFM_TRY(cursor_.take(bytes));
  // The header's limit keeps positions within 32 bits.
  entry.offset = static_cast<std::uint32_t>(start);
  return entry.type == ValueType::kBool ? check_bools(start, 1) : Status();
}

Status MetadataReader::parse_array(Metadata::Entry& entry) {
  const std::uint64_t start = cursor_.position();
  LFM_ASSIGN(entry.element, parse_value_type());
  if (entry.element == ValueType::kArray) return cursor_.error("an array of arrays isn't supported", start);
  LFM_ASSIGN(entry.count, cursor_.number<std::uint64_t>());
  const std::uint64_t first = cursor_.position();
  if (entry.count > cursor_.remaining() / value_bytes(entry.element)) {
    return cursor_.error("the file is truncated: an array of " + std::to_string(entry.count) +
                             " elements can't fit into the " + std::to_string(cursor_.remaining()) + " bytes left",
                         first);
  }
  entry.offset = static_cast<std::uint32_t>(first);
  if (entry.element != ValueType::kString) {
    LFM_TRY(cursor_.take(entry.count * value_bytes(entry.element)));
    return entry.element == ValueType::kBool ? check_bools(first, entry.count) : Status();
  }
  std::vector<std::uint32_t>& starts = metadata_.string_starts_;
  entry.first_start = static_cast<std::uint32_t>(starts.size());
  for (std::uint64_t i = 0; i < entry.count; ++i) {
    cursor_.about(entry.key, i);
    LFM_ASSIGN(const std::uint64_t length, cursor_.number<std::uint64_t>());
    starts.push_back(static_cast<std::uint32_t>(cursor_.position()));
    LFM_TRY(cursor_.take(length));
  }
  return {};
}

Status MetadataReader::check_bools(std::uint64_t offset, std::uint64_t count) const {
  for (std::uint64_t i = offset; i < offset + count; ++i) {
    const auto value = static_cast<unsigned>(cursor_.buffer()[i]);
    if (value > 1) return cursor_.error("a boolean is " + std::to_string(value) + ", expected 0 or 1", i);
  }
  return {};
}

Result<Metadata> Metadata::read(Cursor& cursor, std::uint64_t count) {
  return MetadataReader(cursor).run(count);
}

}  // namespace lfm::format
