// Writes packed model files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "format/pack_file.h"
#include "lfm/result.h"

namespace lfm::format {

// The weights are written in chunks, by any number of threads, each chunk once; then commit() adds the rest. Until then
// there is no file of that name, and nothing is left of it if the writer goes before.
class PackWriter {
 public:
  // `weights` must outlive the writer; `identity` is copied. Errors as base::AtomicFile::create.
  static Result<PackWriter> create(const std::string& path, const PackLayout& layout, const PackSource& source,
                                   std::span<const std::byte> identity, std::span<const std::byte> weights);

  // Has the file say where what was packed lies; not so for a path that doesn't fit.
  void keep_origin(std::string path);

  const PackPlaces& places() const noexcept { return places_; }
  Status write_chunk(std::uint64_t i);
  Status commit(unsigned mode, base::AtomicFile::Existing existing);

 private:
  PackWriter(base::AtomicFile file, const PackLayout& layout, const PackSource& source, const PackPlaces& places,
             std::span<const std::byte> identity, std::span<const std::byte> weights)
      : file_(std::move(file)),
        layout_(layout),
        source_(source),
        places_(places),
        identity_(identity.begin(), identity.end()),
        weights_(weights),
        sums_(places.chunks) {}

  base::AtomicFile file_;
  PackLayout layout_;
  PackSource source_;
  PackPlaces places_;
  std::vector<std::byte> identity_;
  std::span<const std::byte> weights_;
  std::vector<std::uint64_t> sums_;
  std::string origin_;
};

}  // namespace lfm::format
