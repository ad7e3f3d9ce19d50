// A model file of either kind, and the packed weights that are in one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/file.h"
#include "base/mapped_file.h"
#include "base/memory.h"
#include "base/work.h"
#include "format/pack_file.h"
#include "lfm/engine.h"
#include "lfm/result.h"
#include "lfm/types.h"
#include "ops/xnn_linear.h"
#include "source/source.h"

namespace lfm::engine {

struct PackedFile {
  base::File file;
  format::PackFile pack;
};

struct ModelFile {
  std::string path;
  std::uint64_t bytes = 0;           // of all files
  std::optional<PackedFile> packed;  // none: the weights are in the source's files
  std::unique_ptr<source::Source> source;

  // Errors as source::open and PackFile::open.
  static Result<ModelFile> open(const std::string& path);
};

// The weights as the kernels read them, in memory of our own or in a mapped file.
class PackedBytes {
 public:
  PackedBytes() = default;
  PackedBytes(base::Memory memory) noexcept : holder_(std::move(memory)) {}
  PackedBytes(base::MappedFile file) noexcept : holder_(std::move(file)) {}

  std::span<const std::byte> bytes() const noexcept;
  // kIo where they changed with the file that they lie in.
  Status check_intact() const;
  void settle() const noexcept;  // waits until no more of them is being moved to huge pages

 private:
  std::variant<base::Memory, base::MappedFile> holder_;
};

format::PackLayout pack_layout(std::optional<ops::XnnLayout> xnn) noexcept;

// Work that Engine::open() waits for.
base::Work open_work(const EngineOptions& options, OpenPhase phase, std::uint64_t bytes);

// Brings a packed file's weights into memory with every member of the team.
//
// What is checked: a copy in full, as it is read. A map in full when this user may still write to the file; one of
// `kCache` is then made read-only, which is how a file looks that was checked once since it was written. A map of a
// read-only file by samples: first and last chunk and a few others, which differ from time to time.
//
// kAuto maps where the system holds off writers, and then settles; kMap maps where it doesn't too.   kFormat  damaged;
// kIo  from the file, and for kMap where it can't be mapped;   kNoMemory, kCancelled
enum class Owner { kUser, kCache };
Result<PackedBytes> load_packed(const PackedFile& packed, Owner owner, const EngineOptions& options, base::Team& team);

// Checks every chunk.
Status verify_packed(const PackedFile& packed, base::Team& team, base::Work& work);

}  // namespace lfm::engine
