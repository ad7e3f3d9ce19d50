#include "format/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string>

#include "base/checked.h"
#include "base/try.h"
#include "format/by_name.h"
#include "format/cursor.h"

namespace lfm::format {
namespace {

constexpr std::uint64_t kTensorCountAt = 8;  // behind magic and version
constexpr std::uint64_t kEntryCountAt = 16;
constexpr std::uint64_t kHeaderBytes = 24;
constexpr std::uint64_t kMinEntryBytes = 14;   // a key of one byte with a value of one byte
constexpr std::uint64_t kMinTensorBytes = 33;  // a name of one byte with one dimension
constexpr std::uint64_t kMaxNameBytes = 63;    // ggml's limit
constexpr std::uint64_t kDefaultAlignment = 32;

}  // namespace

// Reads the parts in the file's order, each of them once.
class GgufParser {
 public:
  GgufParser(Cursor::Source source, std::uint64_t file_bytes, std::uint64_t readable_bytes)
      : cursor_(std::move(source), file_bytes, std::min(readable_bytes, Gguf::kMaxHeaderBytes)) {
    gguf_.file_bytes_ = file_bytes;
  }

  Result<Gguf> run() {
    LFM_TRY(parse_header());
    LFM_ASSIGN(gguf_.metadata_, Metadata::read(cursor_, entry_count_));
    LFM_TRY(parse_tensors());
    LFM_TRY(place_tensors());
    gguf_.header_bytes_ = cursor_.position();
    gguf_.header_ = cursor_.release();
    return std::move(gguf_);
  }

 private:
  Status parse_header();
  Status check_version(std::uint32_t version) const;
  Status check_count(std::uint64_t count, std::uint64_t min_bytes, std::uint64_t at) const;
  Result<std::uint64_t> read_alignment() const;
  Status parse_tensors();
  Status parse_tensor(std::uint64_t index);
  Status parse_name(TensorInfo& tensor);
  Status parse_shape(TensorInfo& tensor);
  Status place_tensors();
  Status check_overlap() const;

  Cursor cursor_;
  Gguf gguf_;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t entry_count_ = 0;
  std::vector<std::uint32_t> offset_fields_;  // where in the file a tensor's offset stands, for errors about it
};

Status GgufParser::parse_header() {
  cursor_.about("header");
  if (cursor_.remaining() >= 4) {
    LFM_ASSIGN(const std::byte* const magic, cursor_.take(4));
    if (std::memcmp(magic, "GGUF", 4) != 0) {
      const std::string_view found(reinterpret_cast<const char*>(magic), 4);
      return cursor_.error("not a GGUF file: it begins with '" + base::printable(found) + "'", 0);
    }
  }
  if (gguf_.file_bytes_ < kHeaderBytes) {
    return cursor_.error(
        "the file is truncated: " + std::to_string(gguf_.file_bytes_) + " bytes are less than a GGUF header", 0);
  }
  LFM_ASSIGN(gguf_.version_, cursor_.number<std::uint32_t>());
  LFM_TRY(check_version(gguf_.version_));
  LFM_ASSIGN(tensor_count_, cursor_.number<std::uint64_t>());
  LFM_ASSIGN(entry_count_, cursor_.number<std::uint64_t>());
  cursor_.about("number of tensors");
  LFM_TRY(check_count(tensor_count_, kMinTensorBytes, kTensorCountAt));
  cursor_.about("number of metadata keys");
  return check_count(entry_count_, kMinEntryBytes, kEntryCountAt);
}

Status GgufParser::check_version(std::uint32_t version) const {
  if (version == 2 || version == 3) return {};
  std::string message = "GGUF version " + std::to_string(version) + " can't be read; versions 2 and 3 can";
  if (version == 1) message += ": convert the model again";
  if (version != 0 && (version & 0xffff) == 0) message = "the file is big-endian; only little-endian GGUF can be read";
  return cursor_.error(std::move(message), 4, ErrorCode::kUnsupported);
}

// A count that the rest of the file can't hold is refused before anything is sized by it.
Status GgufParser::check_count(std::uint64_t count, std::uint64_t min_bytes, std::uint64_t at) const {
  if (count > cursor_.remaining() / min_bytes) {
    return cursor_.error(std::to_string(count) + " can't fit into the " + std::to_string(cursor_.remaining()) +
                             " bytes left: the file is truncated or damaged",
                         at);
  }
  if (count > Gguf::kMaxEntries) {
    return cursor_.error(std::to_string(count) + " is more than the limit of " + std::to_string(Gguf::kMaxEntries), at,
                         ErrorCode::kLimit);
  }
  return {};
}

Result<std::uint64_t> GgufParser::read_alignment() const {
  constexpr std::string_view kKey = "general.alignment";
  const Metadata::Entry* entry = gguf_.metadata_.find(kKey);
  if (entry == nullptr) return kDefaultAlignment;
  if (entry->type != ValueType::kUint32)
    return gguf_.metadata_.error(kKey, "is " + std::string(to_string(entry->type)) + ", expected uint32");
  const auto alignment = load<std::uint32_t>(cursor_.buffer() + entry->offset);
  if (alignment < 8 || alignment > 4096 || !std::has_single_bit(alignment)) {
    return gguf_.metadata_.error(kKey, "is " + std::to_string(alignment) + ", expected a power of two from 8 to 4096");
  }
  return std::uint64_t{alignment};
}

Status GgufParser::parse_tensors() {
  gguf_.tensors_.reserve(tensor_count_);
  offset_fields_.reserve(tensor_count_);
  for (std::uint64_t i = 0; i < tensor_count_; ++i) LFM_TRY(parse_tensor(i));
  gguf_.by_name_ = sorted_by(gguf_.tensors_, &TensorInfo::name);
  if (const auto twice = duplicate(gguf_.tensors_, gguf_.by_name_, &TensorInfo::name)) {
    cursor_.about(gguf_.tensors_[*twice].name, *twice);
    const auto* name = reinterpret_cast<const std::byte*>(gguf_.tensors_[*twice].name.data());
    return cursor_.error("the tensor is there twice", static_cast<std::uint64_t>(name - cursor_.buffer()));
  }
  return {};
}

Status GgufParser::parse_tensor(std::uint64_t index) {
  cursor_.about("tensor", index);
  TensorInfo tensor;
  LFM_TRY(parse_name(tensor));
  cursor_.about(tensor.name);
  LFM_TRY(parse_shape(tensor));
  offset_fields_.push_back(static_cast<std::uint32_t>(cursor_.position()));
  LFM_ASSIGN(tensor.offset, cursor_.number<std::uint64_t>());
  gguf_.tensors_.push_back(tensor);
  return {};
}

Status GgufParser::parse_name(TensorInfo& tensor) {
  const std::uint64_t start = cursor_.position();
  LFM_ASSIGN(const std::uint64_t length, cursor_.number<std::uint64_t>());
  if (length == 0 || length > kMaxNameBytes)
    return cursor_.error("a name of " + std::to_string(length) + " bytes, expected 1 to 63", start);
  LFM_ASSIGN(const std::byte* const name, cursor_.take(length));
  tensor.name = {reinterpret_cast<const char*>(name), static_cast<std::size_t>(length)};
  if (std::any_of(tensor.name.begin(), tensor.name.end(), [](char c) { return c <= ' ' || c > '~'; }))
    return cursor_.error("the name '" + base::printable(tensor.name, 64) + "' isn't printable ASCII", start);
  return {};
}

// Dimensions and type, from which follows the size; each product is checked before it is used.
Status GgufParser::parse_shape(TensorInfo& tensor) {
  const std::uint64_t start = cursor_.position();
  LFM_ASSIGN(tensor.rank, cursor_.number<std::uint32_t>());
  if (tensor.rank == 0 || tensor.rank > 4)
    return cursor_.error(std::to_string(tensor.rank) + " dimensions, expected 1 to 4", start);
  std::optional<std::uint64_t> elements = 1;
  for (std::uint32_t i = 0; i < tensor.rank; ++i) {
    LFM_ASSIGN(tensor.dims[i], cursor_.number<std::uint64_t>());
    if (tensor.dims[i] == 0) return cursor_.error("dimension " + std::to_string(i) + " is zero", start);
    elements = elements ? base::checked_mul(*elements, tensor.dims[i]) : std::nullopt;
  }
  const std::uint64_t type_at = cursor_.position();
  LFM_ASSIGN(const std::uint32_t number, cursor_.number<std::uint32_t>());
  const std::optional<TensorType> type = tensor_type(number);
  if (!type) {
    return cursor_.error("tensor type " + std::to_string(number) + " is unknown or was removed from GGUF", type_at,
                         ErrorCode::kUnsupported);
  }
  tensor.type = *type;
  if (!elements || *elements > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return cursor_.error("the number of elements is beyond 63 bits", start);
  if (tensor.dims[0] % block_columns(*type) != 0) {
    return cursor_.error("dimension 0 is " + std::to_string(tensor.dims[0]) + ", not a multiple of " +
                             std::to_string(block_columns(*type)) + " as type " + to_string(*type) + " needs",
                         start);
  }
  const std::optional<std::uint64_t> row = row_bytes(*type, tensor.dims[0]);
  const std::optional<std::uint64_t> bytes = row ? base::checked_mul(*row, *elements / tensor.dims[0]) : std::nullopt;
  if (!bytes) return cursor_.error("the size in bytes is beyond 64 bits", start);
  tensor.bytes = *bytes;
  return {};
}

// Turns offsets into the data section into offsets into the file, after checking that all of it is there.
Status GgufParser::place_tensors() {
  LFM_ASSIGN(const std::uint64_t alignment, read_alignment());
  // Below the header's limit, so that nothing wraps.
  gguf_.data_offset_ = *base::checked_round_up(cursor_.position(), alignment);
  for (std::size_t i = 0; i < gguf_.tensors_.size(); ++i) {
    TensorInfo& tensor = gguf_.tensors_[i];
    cursor_.about(tensor.name);
    if (tensor.offset % alignment != 0) {
      return cursor_.error("offset " + std::to_string(tensor.offset) + " isn't a multiple of the alignment, " +
                               std::to_string(alignment),
                           offset_fields_[i]);
    }
    const std::uint64_t space = gguf_.file_bytes_ - std::min(gguf_.file_bytes_, gguf_.data_offset_);
    if (tensor.offset > space || tensor.bytes > space - tensor.offset) {
      return cursor_.error("the file is truncated: the tensor's " + std::to_string(tensor.bytes) + " bytes at offset " +
                               std::to_string(tensor.offset) + " of the data go beyond the " + std::to_string(space) +
                               " bytes that there are; if it was downloaded, download it again",
                           offset_fields_[i]);
    }
    tensor.offset += gguf_.data_offset_;
  }
  return check_overlap();
}

Status GgufParser::check_overlap() const {
  std::vector<const TensorInfo*> order;
  order.reserve(gguf_.tensors_.size());
  for (const TensorInfo& tensor : gguf_.tensors_) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const TensorInfo* a, const TensorInfo* b) { return a->offset < b->offset; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (order[i]->offset - order[i - 1]->offset < order[i - 1]->bytes) {
      return Error{ErrorCode::kFormat, "the tensor overlaps " + std::string(order[i - 1]->name),
                   std::string(order[i]->name), Error::kNone, order[i]->offset};
    }
  }
  return {};
}

const TensorInfo* Gguf::find(std::string_view name) const noexcept {
  return find_by(tensors_, by_name_, &TensorInfo::name, name);
}

Result<Gguf> Gguf::read(const base::File& file) {
  return GgufParser([&file](std::uint64_t offset, std::span<std::byte> out) { return file.read_at(offset, out); },
                    file.size(), file.size())
      .run();
}

Result<Gguf> Gguf::parse(std::span<const std::byte> bytes) {
  return parse(bytes, bytes.size());
}

Result<Gguf> Gguf::parse(std::span<const std::byte> bytes, std::uint64_t file_bytes) {
  const auto copy = [bytes](std::uint64_t offset, std::span<std::byte> out) {
    std::memcpy(out.data(), bytes.data() + offset, out.size());
    return Status();
  };
  return GgufParser(copy, file_bytes, bytes.size()).run();
}

}  // namespace lfm::format
