// Small types that the public headers share.
#pragma once

#include <cstdint>

namespace lfm {

using TokenId = std::int32_t;

// Who multiplies with the dense 4-bit matrices (experts, and all other types, always run on the library's own kernels).
enum class DenseBackend : std::uint8_t {
  kAuto,     // kNative on CPUs with AVX-512 VNNI, where it is both faster and more exact, else kXnnpack
  kXnnpack,  // XNNPACK where it runs here: one activation scale a token
  kNative,   // the library's kernels: one activation scale per 32 channels
};

// How the weights of a packed file come into memory.
enum class Load : std::uint8_t {
  kAuto,  // mapped where a change of the file can't reach this process, else copied
  kMap,   // at once; processes share the memory, and the system may give it back under pressure
  kCopy,  // read into memory of our own, in huge pages where the system has them, and checked in full
};

}  // namespace lfm
