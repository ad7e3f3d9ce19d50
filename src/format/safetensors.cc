#include "format/safetensors.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/checked.h"
#include "base/try.h"
#include "json/value.h"

namespace lfm::format {
namespace {

using Json = json::Value;

constexpr std::uint64_t kLengthBytes = 8;

struct Dtype {
  const char* name;
  std::uint64_t bytes;
  std::optional<TensorType> type;
};

constexpr Dtype kDtypes[] = {
    {"F32", 4, TensorType::kF32},
    {"F16", 2, TensorType::kF16},
    {"BF16", 2, TensorType::kBF16},
    {"F64", 8, {}},
    {"I64", 8, {}},
    {"U64", 8, {}},
    {"I32", 4, {}},
    {"U32", 4, {}},
    {"I16", 2, {}},
    {"U16", 2, {}},
    {"I8", 1, {}},
    {"U8", 1, {}},
    {"BOOL", 1, {}},
    {"F8_E4M3", 1, {}},
    {"F8_E5M2", 1, {}},
};

Error damaged(const std::string& name, std::string message) {
  return Error{ErrorCode::kFormat, std::move(message), base::printable(name, 64)};
}

// data: where the tensors' bytes begin in the file.
Result<SafeTensor> read_tensor(const std::string& name, const Json& entry, std::uint64_t data,
                               std::uint64_t file_bytes) {
  SafeTensor tensor;
  tensor.name = name;
  const Json* dtype = json::given(entry, "dtype");
  const Json* shape = json::given(entry, "shape");
  const Json* offsets = json::given(entry, "data_offsets");
  if (dtype == nullptr || !dtype->is_text()) return damaged(name, "no dtype");
  if (shape == nullptr || !shape->is_array()) return damaged(name, "no shape");
  if (offsets == nullptr || offsets->items.size() != 2) return damaged(name, "no data_offsets");
  const std::optional<std::uint64_t> begin = offsets->items[0].whole(), end = offsets->items[1].whole();
  if (!begin || !end) return damaged(name, "no data_offsets");
  tensor.dtype = dtype->text;
  const auto known = std::ranges::find(kDtypes, std::string_view(tensor.dtype), &Dtype::name);
  if (known == std::end(kDtypes)) return damaged(name, "unknown dtype '" + base::printable(tensor.dtype, 16) + "'");
  tensor.type = known->type;
  std::optional<std::uint64_t> bytes = known->bytes;
  for (const Json& item : shape->items) {
    const std::optional<std::uint64_t> length = item.whole();
    if (!length) return damaged(name, "a length isn't a whole number");
    tensor.shape.push_back(*length);
    if (bytes) bytes = base::checked_mul(*bytes, tensor.shape.back());
  }
  if (*begin > *end || *end > file_bytes - data) return damaged(name, "its bytes don't lie in the file");
  if (!bytes || *bytes != *end - *begin) return damaged(name, "its bytes aren't as many as type and shape ask for");
  tensor.offset = data + *begin;
  tensor.bytes = *end - *begin;
  return tensor;
}

Status check_overlaps(const std::vector<SafeTensor>& tensors) {
  std::vector<const SafeTensor*> order;
  for (const SafeTensor& tensor : tensors) {
    if (tensor.bytes > 0) order.push_back(&tensor);
  }
  std::ranges::sort(order, {}, &SafeTensor::offset);
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (order[i - 1]->offset + order[i - 1]->bytes > order[i]->offset)
      return damaged(order[i]->name, "its bytes overlap those of another tensor");
  }
  return {};
}

}  // namespace

Result<SafeTensors> SafeTensors::read(const base::File& file) {
  const auto refused = [&](ErrorCode code, std::string message) {
    return Error{code, std::move(message), base::printable(file.path())};
  };
  std::uint64_t length = 0;
  if (file.size() < kLengthBytes) return refused(ErrorCode::kFormat, "not a safetensors file: it is too short");
  LFM_TRY(file.read_at(0, std::as_writable_bytes(std::span(&length, 1))));
  if (length > file.size() - kLengthBytes) {
    return refused(ErrorCode::kFormat,
                   "not a safetensors file, or truncated: its header would have " + std::to_string(length) + " bytes");
  }
  if (length > kMaxHeaderBytes) {
    return refused(ErrorCode::kLimit, "a header of " + std::to_string(length) + " bytes");
  }
  std::vector<std::byte> bytes(kLengthBytes + length);
  LFM_TRY(file.read_at(0, bytes));
  return parse(bytes, file.size());
}

Result<SafeTensors> SafeTensors::parse(std::span<const std::byte> bytes, std::uint64_t file_bytes) {
  std::uint64_t length = 0;
  if (bytes.size() < kLengthBytes) return damaged("header", "truncated");
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length != bytes.size() - kLengthBytes || file_bytes < bytes.size()) return damaged("header", "truncated");
  SafeTensors file;
  file.header_.assign(bytes.begin(), bytes.end());
  file.file_bytes_ = file_bytes;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, length);
  LFM_ASSIGN(const Json header,
             json::parse(text, "header", {.malformed = ErrorCode::kFormat, .too_deep = ErrorCode::kFormat}));
  if (!header.is_object()) return damaged("header", "not an object");
  if (header.members.size() > kMaxTensors) return Error{ErrorCode::kLimit, "more than 65536 tensors", "header"};
  for (const auto& [name, entry] : header.members) {
    if (name == "__metadata__") continue;
    LFM_ASSIGN(SafeTensor tensor, read_tensor(name, entry, bytes.size(), file_bytes));
    file.tensors_.push_back(std::move(tensor));
  }
  LFM_TRY(check_overlaps(file.tensors_));
  return file;
}

}  // namespace lfm::format
