// Packed model files: what a model's files say but for the weights, and the weights as the kernels want them, so that
// opening one is mapping it. Little-endian; all parts begin at multiples of 4096:
//
//   header      4096 bytes: PackHeader; in a cache's files the path of what was packed, with a NUL behind it; zeros
//   identity    the source's (source::Source::identity): configuration, tokenizer and the tensors' shapes are read from
//               it by the same code, and as carefully, as from the source's own files
//   checksums   one (base/checksum.h) for each chunk of weights
//   weights     what model::pack_weights made, to the end of the file; large ones begin at a multiple of 2 MiB
//
// What is promised: open() checks header, identity and table of checksums in full, and that the file is exactly as
// long as it says. The weights are checked against the table by check_chunk(), as many of them as the caller likes.
// Checksums find accidents; against somebody who may write to the file they are no protection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "lfm/result.h"

namespace lfm::format {

// How weights lie in the file. Those packed for another layout can't be used.
struct PackLayout {
  std::uint32_t tiles = 0;   // kernels::kTileLayout
  std::uint32_t plan = 0;    // model::kPlanLayout
  std::uint32_t xnn_nr = 0;  // of the dense matrices; 0, 0 where the library's own kernels run them
  std::uint32_t xnn_kr = 0;
  bool operator==(const PackLayout&) const = default;
};

// Which files were packed. A file that is written to or replaced gets another stamp, whatever its size and modification
// time are set to; where a file system keeps no time of change, the samples (the whole identity, and of each file 64
// pieces of 4 KiB, the first and the last among them) tell most models apart.
struct PackSource {
  std::uint64_t stamps = 0;   // checksum of all files'
  std::uint64_t samples = 0;  // and of the samples
  bool operator==(const PackSource&) const = default;

  // kIo from the files.
  static Result<PackSource> of(std::span<const base::File> files, std::span<const std::byte> identity);
};

// Bytes of weights that share a checksum and are written at once, at a multiple of their size: those of a large page,
// so that a file system that keeps files in large pages can map them as such.
inline constexpr std::uint64_t kPackChunk = std::uint64_t{2} << 20;

// Where the parts of a file lie, which follows from three sizes.
struct PackPlaces {
  std::uint64_t identity_offset = 0;
  std::uint64_t identity_bytes = 0;
  std::uint64_t sums_offset = 0;
  std::uint64_t chunks = 0;
  std::uint64_t weights_offset = 0;
  std::uint64_t weights_bytes = 0;

  // Of an identity and weights of these sizes, both below 2^48.
  static PackPlaces of(std::uint64_t identity_bytes, std::uint64_t weights_bytes) noexcept;
  std::uint64_t file_bytes() const noexcept { return weights_offset + weights_bytes; }
  // Of chunk i: its first byte among the weights, and how many there are.
  std::uint64_t chunk_begin(std::uint64_t i) const noexcept { return i * kPackChunk; }
  std::uint64_t chunk_bytes(std::uint64_t i) const noexcept;
};

struct PackHeader {
  static constexpr char kMagic[8] = {'L', 'F', 'M', 'P', 'A', 'C', 'K', '\0'};
  static constexpr std::uint32_t kVersion = 4;
  static constexpr std::uint64_t kBytes = 4096;

  char magic[8];
  std::uint32_t version;
  std::uint32_t header_bytes;
  PackLayout layout;
  PackSource source;
  std::uint64_t identity_offset;
  std::uint64_t identity_bytes;
  std::uint64_t identity_sum;
  std::uint64_t sums_offset;
  std::uint64_t sums_bytes;
  std::uint64_t sums_sum;
  std::uint64_t weights_offset;
  std::uint64_t weights_bytes;
  std::uint64_t header_sum;  // of all 4096 bytes, with zero here
};
static_assert(sizeof(PackHeader) == 120 && PackHeader::kBytes >= sizeof(PackHeader));

class PackFile {
 public:
  static constexpr std::uint64_t kMaxIdentityBytes = std::uint64_t{64} << 20;

  // Where what was packed lay; empty where the file doesn't say. Errors as of open(), which looks at more.
  static Result<std::string> origin(const base::File& file);

  // Whether the file begins as packed files do.
  static Result<bool> begins(const base::File& file);

  //   kFormat       cut, damaged, or contradicting itself
  //   kUnsupported  another version of the format
  //   kIo           from the file
  static Result<PackFile> open(const base::File& file);

  const PackLayout& layout() const noexcept { return layout_; }
  const PackSource& source() const noexcept { return source_; }
  const PackPlaces& places() const noexcept { return places_; }
  std::span<const std::byte> identity() const noexcept { return identity_; }
  std::uint64_t weights_sum() const noexcept { return weights_sum_; }  // checksum of the table of checksums

  // kFormat with the offset where what lies between the parts isn't zero. Nothing reads it.
  Status check_padding(const base::File& file) const;

  // kFormat with the offset in the file where chunk i (< places().chunks) isn't what was written.
  Status check_chunk(std::uint64_t i, std::span<const std::byte> bytes) const;

 private:
  PackFile() = default;
  std::string path_;
  PackLayout layout_;
  PackSource source_;
  PackPlaces places_;
  std::vector<std::byte> identity_;
  std::vector<std::uint64_t> sums_;
  std::uint64_t weights_sum_ = 0;
};

}  // namespace lfm::format
