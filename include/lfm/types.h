// Small types that the public headers share.
#pragma once

#include <cstdint>

namespace lfm {

using TokenId = std::int32_t;

// Who multiplies with the dense 4-bit matrices (experts, and all other types, always run on the library's own kernels).
enum class DenseBackend : std::uint8_t {
  kXnnpack,  // XNNPACK where it runs here: one activation scale a token
  kNative,   // the library's kernels: one activation scale per 32 channels
};

}  // namespace lfm
