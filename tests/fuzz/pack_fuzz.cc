// Any bytes as a packed file: as they are, and with their checksums put right, as somebody would who means harm. A file
// that opens is run.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "base/checksum.h"
#include "format/pack_file.h"
#include "fuzz/file_bytes.h"
#include "lfm/lfm.h"

namespace {

using lfm::format::PackFile;
using lfm::format::PackHeader;
using lfm::format::PackPlaces;

std::uint64_t sum_of(std::span<const std::byte> bytes) {
  return lfm::base::checksum(bytes);
}

// Sums of all parts that lie inside the file.
void mend(std::span<std::byte> file) {
  if (file.size() < PackHeader::kBytes) return;
  PackHeader header;
  std::memcpy(&header, file.data(), sizeof header);
  if (header.identity_bytes < file.size() && header.weights_bytes < file.size()) {
    const PackPlaces places = PackPlaces::of(header.identity_bytes, header.weights_bytes);
    if (places.file_bytes() == file.size()) {
      header.identity_sum = sum_of(file.subspan(places.identity_offset, places.identity_bytes));
      for (std::uint64_t i = 0; i < places.chunks; ++i) {
        const std::uint64_t sum =
            sum_of(file.subspan(places.weights_offset + places.chunk_begin(i), places.chunk_bytes(i)));
        std::memcpy(&file[places.sums_offset + i * sizeof sum], &sum, sizeof sum);
      }
      header.sums_sum = sum_of(file.subspan(places.sums_offset, places.chunks * sizeof(std::uint64_t)));
    }
  }
  header.header_sum = 0;
  std::memcpy(file.data(), &header, sizeof header);
  header.header_sum = sum_of(file.first(PackHeader::kBytes));
  std::memcpy(file.data(), &header, sizeof header);
}

void open(const std::string& path, lfm::Load load) {
  lfm::EngineOptions options;
  options.threads = 1;
  options.chunk_tokens = 4;
  options.load = load;
  const auto engine = lfm::Engine::open(path, options);
  if (!engine.ok()) {
    if (engine.error().describe().empty()) std::abort();
    return;
  }
  auto session = engine->new_session({.context_tokens = std::min<std::size_t>(8, engine->info().context_tokens)});
  if (!session.ok()) return;
  const lfm::TokenId ids[] = {1, 0, static_cast<lfm::TokenId>(engine->info().vocabulary - 1)};
  const lfm::Status done = session->append(ids);
  if (!done.ok() && done.error().code == lfm::ErrorCode::kLimit) return;  // a context of less
  if (!done.ok() && done.error().code != lfm::ErrorCode::kNumeric) std::abort();
  if (done.ok()) (void)session->generate({.max_tokens = 2}, nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static lfm::test::FileBytes file;
  const auto input = std::as_bytes(std::span(data, size));
  std::vector<std::byte> bytes(input.begin(), input.end());
  file.set(bytes);
  open(file.path(), lfm::Load::kAuto);
  mend(bytes);
  file.set(bytes);
  (void)lfm::inspect(file.path()).ok();
  (void)lfm::verify_pack(file.path(), {.threads = 1}).ok();
  open(file.path(), lfm::Load::kCopy);
  open(file.path(), lfm::Load::kMap);
  return 0;
}
