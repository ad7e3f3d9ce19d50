// The form of Source::identity(), whose bytes packed files keep:
//
//   u32 format   u32 parts   parts x { u64 bytes of the part's file, u64 bytes of what is kept of it }   what is kept
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lfm/result.h"

namespace lfm::source {

//   kGguf         a part for each file: its header
//   kHuggingFace  first the identity of GGUF keys without tensors, then the files of weights: their headers
enum class Format : std::uint32_t { kGguf = 1, kHuggingFace = 2 };

struct IdentityPart {
  std::uint64_t file_bytes = 0;
  std::span<const std::byte> kept;
};

struct Identity {
  Format format = Format::kGguf;
  std::vector<IdentityPart> parts;  // point into the bytes that they were read from

  std::vector<std::byte> write() const;
  static Result<Identity> read(std::span<const std::byte> bytes);  // kFormat
};

}  // namespace lfm::source
