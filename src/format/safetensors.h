// Reader of safetensors files: u64 length of the header, the header (JSON), the tensors' bytes. As with GGUF, the data
// isn't read here, only placed, and all that the file says is checked: names are unique, sizes follow from types and
// shapes, every tensor lies inside the file and no two overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "format/tensor_type.h"
#include "lfm/result.h"

namespace lfm::format {

struct SafeTensor {
  std::string name;
  std::string dtype;                 // "BF16"
  std::optional<TensorType> type;    // F32, F16 and BF16; none for others
  std::vector<std::uint64_t> shape;  // outermost first
  std::uint64_t offset = 0;          // from the start of the file
  std::uint64_t bytes = 0;
};

class SafeTensors {
 public:
  static constexpr std::uint64_t kMaxHeaderBytes = std::uint64_t{32} << 20;
  static constexpr std::size_t kMaxTensors = 65536;

  // kFormat, kLimit, kIo
  static Result<SafeTensors> read(const base::File& file);
  // Of a file of file_bytes, from what header() gave; kLimit where `bytes` isn't all of it.
  static Result<SafeTensors> parse(std::span<const std::byte> bytes, std::uint64_t file_bytes);

  std::span<const std::byte> header() const noexcept { return header_; }  // its length, and the header
  std::uint64_t file_bytes() const noexcept { return file_bytes_; }
  const std::vector<SafeTensor>& tensors() const noexcept { return tensors_; }

 private:
  std::vector<std::byte> header_;
  std::uint64_t file_bytes_ = 0;
  std::vector<SafeTensor> tensors_;
};

}  // namespace lfm::format
