#include "model/kv_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/try.h"

namespace lfm::model {
namespace {

using kernels::kKvBlock;
using kernels::KvFormat;
using kernels::KvType;

// Zeros for slots `slot` and on in rows that have `width` bytes of each slot, one after another.
void clear_slots(std::byte* rows, std::size_t count, std::size_t width, std::size_t slot) {
  for (std::byte* row = rows; count > 0; --count, row += kKvBlock * width) {
    std::fill(row + slot * width, row + kKvBlock * width, std::byte{0});
  }
}

// Zeros for the slots of a block from `slot` on.
void clear_behind(KvFormat format, std::byte* block, std::size_t slot, std::size_t head_dim) {
  const std::size_t scales = head_dim / kernels::kKvScaleColumns;
  std::byte* const values = block + kernels::key_block_bytes(format, head_dim);
  std::byte* const key_scales = block + kernels::kv_codes_bytes(format.keys, head_dim);
  std::byte* const value_scales = values + kernels::kv_codes_bytes(format.values, head_dim);
  switch (format.keys) {
    case KvType::kF16:
      clear_slots(block, head_dim, sizeof(std::uint16_t), slot);
      break;
    case KvType::kQ8_0:
      clear_slots(block, head_dim / 2, 2, slot);
      clear_slots(key_scales, scales, sizeof(std::uint16_t), slot);
  }
  switch (format.values) {
    case KvType::kF16:
      clear_slots(values, 1, head_dim * sizeof(std::uint16_t), slot);
      break;
    case KvType::kQ8_0:
      for (std::size_t i = slot * head_dim; i < kKvBlock * head_dim; ++i) {
        const std::size_t at = i / head_dim, d = i % head_dim;
        values[(at / 2 * head_dim + d) * 2 + at % 2] = std::byte{0};
      }
      clear_slots(value_scales, scales, sizeof(std::uint16_t), slot);
  }
}

// Where the first of some halves is that isn't a finite number, or their end.
const std::byte* not_finite(const std::byte* at, std::size_t bytes) {
  constexpr std::uint16_t kExponent = 0x7c00;
  const std::byte* const end = at + bytes;
  for (std::uint16_t half; at != end; at += sizeof half) {
    std::memcpy(&half, at, sizeof half);
    if ((half & kExponent) == kExponent) break;
  }
  return at;
}

}  // namespace

KvCache::KvCache(std::size_t page_bytes, std::size_t max_pages) : memory_(page_bytes, max_pages) {
  pages_.reserve(max_pages);
  table_.reserve(max_pages);
}

Result<KvCache> KvCache::create(const Config& config, std::size_t capacity, KvFormat format) {
  const std::size_t block_bytes = kernels::kv_block_bytes(format, config.head_dim);
  std::vector<std::size_t> offsets;
  std::size_t page_bytes = 0;
  for (const LayerConfig& layer : config.layers) {
    offsets.push_back(page_bytes);
    page_bytes += layer.kv_heads * block_bytes;
  }
  KvCache cache(page_bytes, pages_of(capacity));
  cache.format_ = format;
  cache.head_dim_ = config.head_dim;
  cache.block_bytes_ = block_bytes;
  cache.offsets_ = std::move(offsets);
  LFM_TRY(cache.memory_.reserve());
  return cache;
}

std::size_t KvCache::pages_of(std::size_t positions) noexcept {
  return (positions + kernels::kKvBlock - 1) / kernels::kKvBlock;
}

Status KvCache::own(std::size_t begin, std::size_t end) {
  for (std::size_t i = begin / kernels::kKvBlock; i < pages_of(end); ++i) {
    if (i < pages_.size() && !pages_[i].shared()) continue;
    LFM_ASSIGN(Pages::Page page, memory_.take());
    std::byte* const data = page.data();
    if (i < pages_.size()) {
      if (i * kernels::kKvBlock < begin) std::memcpy(data, table_[i], page_bytes());
      pages_[i] = std::move(page);
      table_[i] = data;
    } else {
      pages_.push_back(std::move(page));
      table_.push_back(data);
    }
  }
  return {};
}

KvCache KvCache::fork(std::size_t positions) const {
  const auto count = static_cast<std::ptrdiff_t>(pages_of(positions));
  KvCache fork(page_bytes(), memory_.count());
  fork.format_ = format_;
  fork.head_dim_ = head_dim_;
  fork.block_bytes_ = block_bytes_;
  fork.offsets_ = offsets_;
  fork.pages_.assign(pages_.begin(), pages_.begin() + count);
  fork.table_.assign(table_.begin(), table_.begin() + count);
  return fork;
}

void KvCache::adopt(const KvCache& other, std::size_t positions) {
  for (std::size_t i = 0; i < positions / kernels::kKvBlock; ++i) {
    if (table_[i] == other.table_[i]) continue;
    pages_[i] = other.pages_[i];
    table_[i] = other.table_[i];
  }
}

void KvCache::copy_page(std::size_t i, std::size_t positions, std::byte* out) const noexcept {
  std::memcpy(out, table_[i], page_bytes());
  if (positions >= kernels::kKvBlock) return;
  for (std::size_t at = 0; at < page_bytes(); at += block_bytes_) clear_behind(format_, out + at, positions, head_dim_);
}

std::optional<std::size_t> KvCache::find_not_finite(const std::byte* page) const noexcept {
  const auto check = [&](KvType type, const std::byte* part) -> std::optional<std::size_t> {
    // Codes may be anything.
    const bool halves = type == KvType::kF16;
    const std::byte* const begin = halves ? part : part + kernels::kv_codes_bytes(type, head_dim_);
    const std::size_t bytes =
        halves ? kernels::kv_codes_bytes(type, head_dim_) : kernels::kv_scales_bytes(type, head_dim_);
    const std::byte* const found = not_finite(begin, bytes);
    if (found == begin + bytes) return std::nullopt;
    return static_cast<std::size_t>(found - page);
  };
  for (std::size_t at = 0; at < page_bytes(); at += block_bytes_) {
    if (const auto keys = check(format_.keys, page + at)) return keys;
    const std::byte* const values = page + at + kernels::key_block_bytes(format_, head_dim_);
    if (const auto found = check(format_.values, values)) return found;
  }
  return std::nullopt;
}

}  // namespace lfm::model
