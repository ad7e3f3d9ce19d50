#include "engine/load/model_file.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/entropy.h"
#include "base/folder.h"
#include "base/try.h"
#include "kernels/matmul/layout.h"
#include "model/weights.h"

namespace lfm::engine {
namespace {

constexpr std::uint64_t kSampledChunks = 8;

// Copies every chunk to where place(worker, chunk) says, and checks it there.
template <typename Place>
Status read_chunks(const PackedFile& packed, base::Team& team, base::Work& work, Place&& place) {
  const format::PackPlaces& places = packed.pack.places();
  return work.run(team, places.chunks, [&](base::Worker& worker, std::size_t i) -> Status {
    const std::span<std::byte> chunk(place(worker, i), places.chunk_bytes(i));
    LFM_TRY(packed.file.read_at(places.weights_offset + places.chunk_begin(i), chunk));
    work.add(chunk.size());
    return packed.pack.check_chunk(i, chunk);
  });
}

Result<PackedBytes> copy_packed(const PackedFile& packed, const EngineOptions& options, base::Team& team) {
  const format::PackPlaces& places = packed.pack.places();
  LFM_ASSIGN(base::Memory memory, base::Memory::allocate(places.weights_bytes, base::Memory::Pages::kHuge));
  base::Work work = open_work(options, OpenPhase::kReading, places.weights_bytes);
  LFM_TRY(read_chunks(packed, team, work,
                      [&](base::Worker&, std::size_t i) { return memory.data() + places.chunk_begin(i); }));
  return PackedBytes(std::move(memory));
}

// Of a map: by one thread, in order, so that the system reads ahead in huge pages, which several threads keep it from.
Status read_map(const base::MappedFile& mapped, base::Work& work) {
  constexpr std::size_t kPart = std::size_t{4} << 20;
  for (std::size_t at = 0; at < mapped.size(); at += kPart) {
    const std::size_t bytes = std::min(kPart, mapped.size() - at);
    LFM_TRY(mapped.populate(at, bytes));
    work.add(bytes);
    LFM_TRY(work.step());
  }
  return {};
}

Status check_map(const base::MappedFile& mapped, const PackedFile& packed, Owner owner, const EngineOptions& options,
                 base::Team& team) {
  const format::PackPlaces& places = packed.pack.places();
  const auto check = [&](std::uint64_t i) {
    return packed.pack.check_chunk(i, {mapped.data() + places.chunk_begin(i), places.chunk_bytes(i)});
  };
  if (packed.file.ours_and_writable()) {
    base::Work work = open_work(options, OpenPhase::kChecking, places.weights_bytes);
    LFM_TRY(work.run(team, places.chunks, [&](base::Worker&, std::size_t i) {
      work.add(places.chunk_bytes(i));
      return check(i);
    }));
    // Where it can't be (a read-only disk), the next start checks again.
    if (owner == Owner::kCache) (void)packed.file.make_read_only().ok();
  } else if (places.chunks > 0) {
    LFM_TRY(check(0));
    LFM_TRY(check(places.chunks - 1));
    for (std::uint64_t i = 0; i < kSampledChunks; ++i) LFM_TRY(check(base::random_word() % places.chunks));
  }
  return {};
}

Result<PackedBytes> map_packed(const PackedFile& packed, Owner owner, base::MappedFile::Writers writers, bool settling,
                               const EngineOptions& options, base::Team& team) {
  const format::PackPlaces& places = packed.pack.places();
  LFM_ASSIGN(base::MappedFile mapped,
             base::MappedFile::map(packed.file, places.weights_offset, places.weights_bytes, writers));
  base::Work work = open_work(options, OpenPhase::kReading, places.weights_bytes);
  // First, so that a page that can't be read is an error, and not a signal to who uses it.
  LFM_TRY(read_map(mapped, work));
  LFM_TRY(check_map(mapped, packed, owner, options, team));
  if (settling) mapped.start_settling();
  return PackedBytes(std::move(mapped));
}

}  // namespace

Result<ModelFile> ModelFile::open(const std::string& path) {
  if (base::is_folder(path)) {
    LFM_ASSIGN(std::unique_ptr<source::Source> source, source::open_folder(path));
    const std::uint64_t bytes = source->bytes;
    return ModelFile{path, bytes, std::nullopt, std::move(source)};
  }
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

base::Work open_work(const EngineOptions& options, OpenPhase phase, std::uint64_t bytes) {
  ProgressCallback told;
  if (options.progress) {
    told = [&options, phase](std::uint64_t done, std::uint64_t all) { return options.progress({phase, done, all}); };
  }
  return base::Work(bytes, std::move(told), options.cancel);
}

Result<PackedBytes> load_packed(const PackedFile& packed, Owner owner, const EngineOptions& options, base::Team& team) {
  using Writers = base::MappedFile::Writers;
  const bool must_map = options.load == Load::kMap;
  if (options.load != Load::kCopy) {
    auto mapped = map_packed(packed, owner, must_map ? Writers::kTrusted : Writers::kHeldOff, !must_map, options, team);
    if (mapped.ok() || must_map) return mapped;
    const ErrorCode code = mapped.error().code;
    if (code == ErrorCode::kFormat || code == ErrorCode::kCancelled) return mapped;
  }
  return copy_packed(packed, options, team);
}

Status verify_packed(const PackedFile& packed, base::Team& team, base::Work& work) {
  std::vector<std::vector<std::byte>> scratch(team.size(), std::vector<std::byte>(format::kPackChunk));
  return read_chunks(packed, team, work,
                     [&](base::Worker& worker, std::size_t) { return scratch[worker.index()].data(); });
}

}  // namespace lfm::engine
