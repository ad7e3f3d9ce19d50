#include "engine/load/pack_cache.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "base/atomic_file.h"
#include "base/atomic_wait.h"
#include "base/checksum.h"
#include "base/folder.h"
#include "base/try.h"
#include "engine/load/cache_folder.h"

namespace lfm::engine {
namespace {

constexpr unsigned kUsersOnly = 0600;
constexpr std::size_t kMaxStem = 64;

std::string hex(std::uint64_t value) {
  std::string text(kCachedIdDigits, '0');
  for (std::size_t i = kCachedIdDigits; i-- > 0; value >>= 4) text[i] = "0123456789abcdef"[value & 15];
  return text;
}

// Letters, digits, '.', '-' and '_' of the model's name, for people.
std::string readable_stem(std::string_view path) {
  const std::string_view name = base::name_of(path);
  const std::size_t dot = name.rfind('.');
  std::string stem(name.substr(0, dot == 0 ? name.npos : dot).substr(0, kMaxStem));
  for (char& c : stem) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    if (!plain) c = '_';
  }
  return stem;
}

}  // namespace

Result<CacheKey> CacheKey::of(const std::string& folder, const ModelFile& model, const format::PackLayout& layout,
                              std::optional<WeightType> weights, std::uint64_t weights_bytes) {
  LFM_ASSIGN(std::string name, base::real_path(model.source->files[0].path()));
  LFM_TRY(base::make_folder(folder));
  const auto rounded = static_cast<std::uint8_t>(weights ? 1 + static_cast<int>(*weights) : 0);
  const std::uint64_t seed = (std::uint64_t{rounded} << 56) | (std::uint64_t{layout.xnn_nr} << 32) | layout.xnn_kr;
  const std::uint64_t id = base::checksum(std::as_bytes(std::span(name.data(), name.size())), seed);
  std::vector<std::byte> identity = model.source->identity();
  if (weights) identity.push_back(std::byte{rounded});
  LFM_ASSIGN(const format::PackSource source, format::PackSource::of(model.source->files, identity));
  return CacheKey{base::in_folder(folder, readable_stem(name) + "-" + hex(id) + std::string(kCachedSuffix)),
                  std::move(name),
                  layout,
                  source,
                  std::move(identity),
                  weights_bytes};
}

std::optional<PackedFile> open_cached(const CacheKey& key) {
  auto file = base::File::open_read(key.path, base::File::Links::kRefuse);
  if (!file.ok() || !file->guarded()) return std::nullopt;
  auto pack = format::PackFile::open(*file);
  if (!pack.ok() || pack->layout() != key.layout || pack->source() != key.source ||
      pack->places().weights_bytes != key.weights_bytes || !std::ranges::equal(pack->identity(), key.identity)) {
    return std::nullopt;
  }
  return PackedFile{*std::move(file), *std::move(pack)};
}

Result<std::unique_ptr<CacheWriter>> CacheWriter::start(const CacheKey& key, std::span<const std::byte> weights) {
  base::AtomicFile::remove_leftovers(base::folder_of(key.path), is_cached_name);
  LFM_ASSIGN(format::PackWriter writer,
             format::PackWriter::create(key.path, key.layout, key.source, key.identity, weights));
  writer.keep_origin(key.origin);
  std::unique_ptr<CacheWriter> cache(new CacheWriter(std::move(writer)));
  auto thread =
      base::Background::start(base::Background::Priority::kLowest, [self = cache.get()] { self->write_chunks(); });
  if (!thread.ok()) {
    cache->ended_ = true;  // so that the destructor doesn't write
    return std::move(thread).error();
  }
  cache->thread_.emplace(*std::move(thread));
  return cache;
}

// Whoever writes the last chunk commits.
void CacheWriter::write_chunks() noexcept {
  const std::uint64_t chunks = writer_.places().chunks;
  while (!ended_) {
    const std::uint64_t i = next_.fetch_add(1, std::memory_order_relaxed);
    if (i >= chunks) return;
    Status status;
    bool last = false;
    try {
      status = writer_.write_chunk(i);
      last = status.ok() && done_.fetch_add(1, std::memory_order_acq_rel) + 1 == chunks;
      if (last) status = writer_.commit(kUsersOnly, base::AtomicFile::Existing::kReplace);
    } catch (const std::bad_alloc&) {
      status = Error{ErrorCode::kNoMemory, {}};
    }
    if (last || !status.ok()) end(std::move(status));
  }
}

void CacheWriter::end(Status status) noexcept {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  status_ = std::move(status);
  ended_ = true;
  ended_.notify_all();
}

Status CacheWriter::finish() {
  write_chunks();
  base::sleep_while(ended_, false);
  const std::lock_guard lock(mutex_);
  return status_;
}

CacheWriter::~CacheWriter() {
  write_chunks();
}

}  // namespace lfm::engine
