// Packed model files: a model's weights as the kernels want them, written once and mapped at every start.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "lfm/export.h"
#include "lfm/result.h"
#include "lfm/types.h"

namespace lfm {

struct PackOptions {
  DenseBackend dense = DenseBackend::kAuto;  // that the file is for
  unsigned threads = 0;                      // 0: as EngineOptions has it
  bool overwrite = false;                    // a file that is there already

  ProgressCallback progress = nullptr;  // bytes packed and bytes written so far, and all of both
  std::stop_token cancel = {};
};

struct PackInfo {
  std::string source_name;  // the model's, made fit for a terminal; may be empty
  std::uint64_t file_bytes = 0;
  std::uint64_t weight_bytes = 0;
  std::string dense_backend;  // "xnnpack" or "native"
};

// Packs a GGUF file or a Hugging Face folder. `out` appears complete or not at all, and read-only, so that opening it
// need not check all of it (lfm/types.h, Load). Memory for all packed weights is needed meanwhile.
//   kIo, kFormat, kUnsupported, kNoMemory  as Engine::open, and about `out`
//   kArgument  `out` is the model itself or no regular file, or is there and overwrite is false; the model is packed
//   kState     another process is writing `out`;   kCancelled, and there is no `out`
LFM_API Result<PackInfo> pack(const std::string& model, const std::string& out, const PackOptions& options);

struct VerifyOptions {
  unsigned threads = 0;
  ProgressCallback progress = nullptr;  // bytes of weights
  std::stop_token cancel = {};
};

// Reads a packed file completely and compares it with its checksums. kFormat with the offset where it is damaged;
// kUnsupported where it is whole, but packed for another version or machine; else as Engine::open.
LFM_API Result<PackInfo> verify_pack(const std::string& path, const VerifyOptions& options = {});

// A file of the pack cache (EngineOptions::pack_cache).
struct CachedPack {
  std::string path;
  std::string source;     // real path of the model that it was packed from; empty where an older version wrote it
  bool orphaned = false;  // that is gone, and the file goes at the next chance
  std::uint64_t bytes = 0;
  std::uint64_t last_used = 0;  // nanoseconds since 1970, as far as the system notes that
};

// The packed files that this folder keeps, by name; files of others aren't among them. Removing a file frees its place:
// a model that uses it goes on. None where there is no such folder.   kIo  the folder can't be read
LFM_API Result<std::vector<CachedPack>> list_pack_cache(const std::string& folder);

}  // namespace lfm
