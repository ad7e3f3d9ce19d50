#include "model/kv_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/try.h"

namespace lfm::model {
namespace {

// Zeros for the slots of a block from `slot` on.
void clear_behind(kernels::KvFormat format, std::byte* block, std::size_t slot, std::size_t head_dim) {
  switch (format) {
    case kernels::KvFormat::kF16: {
      auto* keys = reinterpret_cast<std::uint16_t*>(block);
      auto* values = reinterpret_cast<std::uint16_t*>(block + kernels::key_block_bytes(format, head_dim));
      for (std::size_t d = 0; d < head_dim; ++d) {
        std::fill(keys + d * kernels::kKvBlock + slot, keys + (d + 1) * kernels::kKvBlock, std::uint16_t{0});
      }
      std::fill(values + slot * head_dim, values + kernels::kKvBlock * head_dim, std::uint16_t{0});
    }
  }
}

}  // namespace

KvCache::KvCache(std::size_t page_bytes, std::size_t max_pages) : memory_(page_bytes, max_pages) {
  pages_.reserve(max_pages);
  table_.reserve(max_pages);
}

Result<KvCache> KvCache::create(const Config& config, std::size_t capacity, kernels::KvFormat format) {
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

}  // namespace lfm::model
