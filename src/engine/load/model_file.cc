#include "engine/load/model_file.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "base/entropy.h"
#include "base/try.h"
#include "kernels/matmul/layout.h"
#include "model/weights.h"

namespace lfm::engine {
namespace {

constexpr std::uint64_t kSampledChunks = 8;

// Calls body(chunk, scratch of kPackChunk bytes) for every chunk; the first error ends it.
template <typename Body>
Status for_each_chunk(std::uint64_t chunks, std::size_t scratch_bytes, base::Team& team, Body&& body) {
  std::vector<std::vector<std::byte>> scratch(team.size(), std::vector<std::byte>(scratch_bytes));
  std::atomic<bool> failed = false;
  std::mutex mutex;
  Status failure;
  team.run([&](base::Worker& worker) {
    worker.for_each_task(chunks, [&](std::size_t i) {
      if (failed.load(std::memory_order_relaxed)) return;
      Status status = body(i, std::span<std::byte>(scratch[worker.index()]));
      if (status.ok()) return;
      const std::lock_guard lock(mutex);
      if (!failed.exchange(true)) failure = std::move(status);
    });
  });
  return failure;
}

Result<PackedBytes> copy_packed(const PackedFile& packed, base::Team& team) {
  const auto& file = packed.file;
  const auto& pack = packed.pack;
  const format::PackPlaces& places = pack.places();
  LFM_ASSIGN(base::Memory memory, base::Memory::allocate(places.weights_bytes, base::Memory::Pages::kHuge));
  LFM_TRY(for_each_chunk(places.chunks, 0, team, [&](std::uint64_t i, std::span<std::byte>) -> Status {
    const std::span<std::byte> chunk(memory.data() + places.chunk_begin(i), places.chunk_bytes(i));
    LFM_TRY(file.read_at(places.weights_offset + places.chunk_begin(i), chunk));
    return pack.check_chunk(i, chunk);
  }));
  return PackedBytes(std::move(memory));
}

Result<PackedBytes> map_packed(const PackedFile& packed, Owner owner, base::MappedFile::Writers writers, bool settling,
                               base::Team& team) {
  constexpr std::uint64_t kPart = std::uint64_t{32} << 20;
  const auto& file = packed.file;
  const auto& pack = packed.pack;
  const format::PackPlaces& places = pack.places();
  const std::uint64_t bytes = places.weights_bytes;
  LFM_ASSIGN(base::MappedFile mapped, base::MappedFile::map(file, places.weights_offset, bytes, writers));
  // First, so that a page that can't be read is an error, and not a signal to who uses it. By one thread, in order: the
  // system then reads ahead in huge pages, which several threads keep it from.
  for (std::uint64_t at = 0; at < bytes; at += kPart) LFM_TRY(mapped.populate(at, std::min(kPart, bytes - at)));
  const auto check = [&](std::uint64_t i) {
    return pack.check_chunk(i, {mapped.data() + places.chunk_begin(i), places.chunk_bytes(i)});
  };
  if (file.ours_and_writable()) {
    LFM_TRY(for_each_chunk(places.chunks, 0, team, [&](std::uint64_t i, std::span<std::byte>) { return check(i); }));
    // Where it can't be (a read-only disk), the next start checks again.
    if (owner == Owner::kCache) (void)file.make_read_only().ok();
  } else if (places.chunks > 0) {
    LFM_TRY(check(0));
    LFM_TRY(check(places.chunks - 1));
    for (std::uint64_t i = 0; i < kSampledChunks; ++i) LFM_TRY(check(base::random_word() % places.chunks));
  }
  if (settling) mapped.start_settling();
  return PackedBytes(std::move(mapped));
}

}  // namespace

Result<ModelFile> ModelFile::open(const std::string& path) {
  LFM_ASSIGN(base::File file, base::File::open_read(path));
  LFM_ASSIGN(const bool is_packed, format::PackFile::begins(file));
  ModelFile model{path, file.size(), std::nullopt, nullptr};
  if (is_packed) {
    LFM_ASSIGN(format::PackFile pack, format::PackFile::open(file));
    LFM_ASSIGN(model.source, source::restore(pack.identity()));
    model.packed.emplace(PackedFile{std::move(file), std::move(pack)});
  } else {
    LFM_ASSIGN(model.source, source::open(std::move(file)));
    model.bytes = model.source->bytes;
  }
  return model;
}

std::span<const std::byte> PackedBytes::bytes() const noexcept {
  return std::visit([](const auto& held) { return std::span<const std::byte>(held.data(), held.size()); }, holder_);
}

Status PackedBytes::check_intact() const {
  const auto* mapped = std::get_if<base::MappedFile>(&holder_);
  return mapped != nullptr ? mapped->check_intact() : Status();
}

void PackedBytes::settle() const noexcept {
  if (const auto* mapped = std::get_if<base::MappedFile>(&holder_)) mapped->settle();
}

format::PackLayout pack_layout(std::optional<ops::XnnLayout> xnn) noexcept {
  format::PackLayout layout{kernels::kTileLayout, model::kPlanLayout};
  if (xnn) {
    layout.xnn_nr = xnn->nr;
    layout.xnn_kr = xnn->kr;
  }
  return layout;
}

Result<PackedBytes> load_packed(const PackedFile& packed, Owner owner, Load load, base::Team& team) {
  using Writers = base::MappedFile::Writers;
  if (load == Load::kCopy) return copy_packed(packed, team);
  auto mapped = load == Load::kMap ? map_packed(packed, owner, Writers::kTrusted, false, team)
                                   : map_packed(packed, owner, Writers::kHeldOff, true, team);
  if (mapped.ok() || load == Load::kMap || mapped.error().code == ErrorCode::kFormat) return mapped;
  return copy_packed(packed, team);
}

Status verify_packed(const PackedFile& packed, base::Team& team) {
  const auto& file = packed.file;
  const auto& pack = packed.pack;
  const format::PackPlaces& places = pack.places();
  return for_each_chunk(places.chunks, format::kPackChunk, team,
                        [&](std::uint64_t i, std::span<std::byte> scratch) -> Status {
                          const std::span<std::byte> chunk = scratch.first(places.chunk_bytes(i));
                          LFM_TRY(file.read_at(places.weights_offset + places.chunk_begin(i), chunk));
                          return pack.check_chunk(i, chunk);
                        });
}

}  // namespace lfm::engine
