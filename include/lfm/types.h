// Small types that the public headers share.
#pragma once

#include <cstdint>
#include <functional>

namespace lfm {

using TokenId = std::int32_t;

// How far something is that takes its time, in units of its own; called on the thread that waits for it, from time to
// time. Returns whether to go on: otherwise it ends with kCancelled.
using ProgressCallback = std::function<bool(std::uint64_t done, std::uint64_t all)>;

// Who multiplies with the dense 4-bit matrices (experts, and all other types, always run on the library's own kernels).
enum class DenseBackend : std::uint8_t {
  kAuto,     // kNative: the faster and more exact, and its bits are the same on every CPU; of a packed file, as it is
  kXnnpack,  // XNNPACK where it runs here: one activation scale a token
  kNative,   // the library's kernels: one activation scale per 32 channels
};

// What weights become. Norms, the convolutions' taps, the experts' biases and the router stay in float32. In the types
// of four and five bits the embedding, which is the head too, is Q6_K.
enum class WeightType : std::uint8_t { kF32, kF16, kBF16, kQ8_0, kQ6_K, kQ4_0, kIQ4_NL, kQ4_K, kQ5_K };

// How the weights of a packed file come into memory. They are checked against the file's checksums: in full where they
// are copied and where this user may write to the file, else by samples. A file of the pack cache is made read-only
// when it has been checked in full; other files' permissions are never changed. A map is there at once, processes share
// it, and the system may take it back under pressure; it has huge pages where the file system keeps the file in such
// (ext4 since Linux 6.16).
enum class Load : std::uint8_t {
  kAuto,  // mapped where no change of the file can reach the process (the user's own file on a local disk), else
          // copied; what the system has in small pages is then moved to huge ones as long as memory is plenty
  kMap,   // mapped wherever it can be: where a change can reach it, who may write to the file must leave it alone
  kCopy,  // read into memory of our own, in huge pages where the system has them, and checked in full
};

}  // namespace lfm
