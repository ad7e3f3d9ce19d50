// Reader of GGUF files, versions 2 and 3, little-endian: header, metadata and the list of tensors. Tensor data isn't
// read here, only placed. Of a split model, each part is a file of its own here. Everything that the file says is
// checked before it is used, so that what a Gguf holds is true of the file: names are unique printable ASCII, sizes
// fit, every tensor's bytes lie inside the file and no two tensors overlap. Tensors may come in any order, with holes
// between them, and bytes after the last one are ignored.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "format/metadata.h"
#include "format/tensor_type.h"
#include "lfm/result.h"

namespace lfm::format {

struct TensorInfo {
  std::string_view name;  // 1..63 bytes
  TensorType type = TensorType::kF32;
  std::uint32_t rank = 0;                         // 1..4
  std::array<std::uint64_t, 4> dims{1, 1, 1, 1};  // elements, fastest first, as in the file; 1 beyond rank
  std::uint64_t offset = 0;                       // of the first byte, from the start of the file
  std::uint64_t bytes = 0;                        // of all elements, without padding

  std::uint64_t elements() const noexcept { return dims[0] * dims[1] * dims[2] * dims[3]; }
  std::uint64_t rows() const noexcept { return dims[1] * dims[2] * dims[3]; }
};

class Gguf {
 public:
  // Limits, so that a hostile file costs little: the largest known header has 8 MB and 600 tensors.
  static constexpr std::uint64_t kMaxHeaderBytes = std::uint64_t{32} << 20;  // header, metadata and tensor list
  static constexpr std::uint64_t kMaxEntries = 65536;                        // keys; tensors

  // Reads the header part of a file.
  //   kFormat       not GGUF, truncated, or contradicting itself
  //   kUnsupported  GGUF version 1, big-endian or of the future; an unknown tensor type
  //   kLimit        more keys, tensors or header bytes than the limits above
  //   kIo           from the file
  static Result<Gguf> read(const base::File& file);
  // The same for a file that lies in memory; `bytes` is copied.
  static Result<Gguf> parse(std::span<const std::byte> bytes);
  // The same for the first `bytes` of a file of file_bytes, which must hold the whole header; kLimit where they don't.
  static Result<Gguf> parse(std::span<const std::byte> bytes, std::uint64_t file_bytes);

  Gguf(Gguf&&) noexcept = default;
  Gguf& operator=(Gguf&&) noexcept = default;

  std::uint32_t version() const noexcept { return version_; }          // 2 or 3
  std::uint64_t data_offset() const noexcept { return data_offset_; }  // where tensor data begins, bytes
  std::uint64_t file_bytes() const noexcept { return file_bytes_; }
  // What read() read: the file's bytes up to the end of the tensor list.
  std::span<const std::byte> header() const noexcept {
    return {header_.get(), static_cast<std::size_t>(header_bytes_)};
  }
  const Metadata& metadata() const noexcept { return metadata_; }

  // In the file's order. The address of a TensorInfo stays valid as long as the Gguf, moving it included.
  std::span<const TensorInfo> tensors() const noexcept { return tensors_; }
  const TensorInfo* find(std::string_view name) const noexcept;  // null where there is none

 private:
  friend class GgufParser;
  Gguf() = default;

  std::unique_ptr<std::byte[]> header_;  // the bytes that names, keys and values point into
  std::uint64_t header_bytes_ = 0;
  std::uint32_t version_ = 0;
  std::uint64_t data_offset_ = 0;
  std::uint64_t file_bytes_ = 0;
  Metadata metadata_;
  std::vector<TensorInfo> tensors_;
  std::vector<std::uint32_t> by_name_;  // tensors_ sorted by name
};

}  // namespace lfm::format
