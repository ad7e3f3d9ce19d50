// Sessions in files. Little-endian; sizes follow from the header and the model:
//
//   header      SavedHeader
//   tokens      i32 (tokens)
//   positions   u64 (snapshots), ascending
//   logits      f32 (vocabulary or 0) after the last token
//   state       f32 (conv_floats) of the convolutions after the last token
//   snapshots   f32 (conv_floats) each
//   keys and values    model::KvCache's pages, page_bytes each, with zeros behind the last token
//
// Every one of these sections, each snapshot and each page, is followed by its checksum (base/checksum.h), whose seed
// is the header's plus the section's offset: what was cut, moved or taken from another file is seen. Checksums find
// accidents; of a file that was made on purpose nothing is believed either: no size is used before it is checked, and
// tokens, positions and numbers must be such as a session can have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "engine/session/timeline.h"
#include "lfm/result.h"
#include "model/config.h"

namespace lfm::engine {

struct SavedHeader {
  static constexpr char kMagic[8] = {'L', 'F', 'M', 'T', 'A', 'L', 'K', '\0'};
  static constexpr std::uint32_t kVersion = 2;

  char magic[8];
  std::uint32_t version;
  std::uint32_t kv_block;  // kernels::kKvBlock
  char key_type[4];        // "f16" or "q8_0", padded with zeros
  char value_type[4];      // likewise; zeros where it is that of the keys
  std::uint64_t fingerprint;
  std::uint64_t tokens;
  std::uint64_t snapshots;
  std::uint64_t logits;
  std::uint64_t conv_floats;
  std::uint64_t pages;
  std::uint64_t page_bytes;
  std::uint64_t file_bytes;
  std::uint64_t tokens_sum;  // checksum of the tokens, so that every conversation has a header of its own
  std::uint64_t sum;         // of the header with zero here
};
static_assert(sizeof(SavedHeader) == 104);

// What a saved session has to fit.
struct SavedModel {
  const model::Config& config;
  std::uint64_t fingerprint;
  kernels::KvFormat cache = {};
  const model::Config* draft = nullptr;  // of the draft network that reads along: it sees what comes after a session
                                         // was loaded
};

// The file appears complete or not at all, readable by its owner only. Errors as base::AtomicFile.
Status save_timeline(const Timeline& timeline, std::uint64_t fingerprint, const std::string& path);

//   kFormat       cut, damaged, or nothing that a session of this model can be
//   kUnsupported  another version of the format, or keys and values of a type that isn't known
//   kArgument     of another model, or of the same for another backend, or with keys and values of other types
//   kLimit        more tokens than `room`
//   kIo, kNoMemory
Result<Timeline> load_timeline(const std::string& path, const SavedModel& model, std::size_t room,
                               std::size_t snapshot_bytes);

// The same from any source of `bytes` bytes; read() fills `out` from `offset` on, which is in range.
struct SavedBytes {
  std::uint64_t bytes;
  std::function<Status(std::uint64_t offset, std::span<std::byte> out)> read;
};
Result<Timeline> load_timeline(const SavedBytes& source, const SavedModel& model, std::size_t room,
                               std::size_t snapshot_bytes);

}  // namespace lfm::engine
