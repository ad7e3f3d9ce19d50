#include "model/kv_cache.h"

#include <algorithm>
#include <cstring>

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

Result<KvCache> KvCache::create(const Config& config, std::size_t capacity, kernels::KvFormat format) {
  KvCache cache;
  cache.format_ = format;
  cache.head_dim_ = config.head_dim;
  cache.block_bytes_ = kernels::kv_block_bytes(format, config.head_dim);
  for (const LayerConfig& layer : config.layers) {
    cache.offsets_.push_back(cache.page_bytes_);
    cache.page_bytes_ += layer.kv_heads * cache.block_bytes_;
  }
  cache.max_pages_ = pages_of(capacity);
  cache.pages_.reserve(cache.max_pages_);
  cache.table_.reserve(cache.max_pages_);
  LFM_TRY(cache.new_slab());
  return cache;
}

std::size_t KvCache::pages_of(std::size_t positions) noexcept {
  return (positions + kernels::kKvBlock - 1) / kernels::kKvBlock;
}

Status KvCache::new_slab() {
  auto slab = std::make_shared<Slab>();
  LFM_ASSIGN(slab->memory, base::Memory::allocate(max_pages_ * page_bytes_));
  slab->users = std::make_unique<std::atomic<std::uint32_t>[]>(max_pages_);
  slab->pages = max_pages_;
  slab_ = std::move(slab);
  next_ = 0;
  return {};
}

// Where all pages of the slab are in use, others have some of them, and there is room in another one.
Result<KvCache::Page> KvCache::new_page() {
  for (std::size_t tried = 0; tried < slab_->pages; ++tried) {
    const std::size_t index = (next_ + tried) % slab_->pages;
    if (slab_->users[index] != 0) continue;
    slab_->users[index] = 1;
    next_ = index + 1;
    return Page(slab_, index);
  }
  LFM_TRY(new_slab());
  return new_page();
}

Status KvCache::own(std::size_t begin, std::size_t end) {
  for (std::size_t i = begin / kernels::kKvBlock; i < pages_of(end); ++i) {
    if (i < pages_.size() && !pages_[i].shared()) continue;
    LFM_ASSIGN(Page page, new_page());
    std::byte* const data = page.data(page_bytes_);
    if (i < pages_.size()) {
      if (i * kernels::kKvBlock < begin) std::memcpy(data, table_[i], page_bytes_);
      pages_[i] = std::move(page);
      table_[i] = data;
    } else {
      pages_.push_back(std::move(page));
      table_.push_back(data);
    }
  }
  return {};
}

void KvCache::share(const KvCache& other, std::size_t positions) {
  const auto count = static_cast<std::ptrdiff_t>(pages_of(positions));
  pages_.assign(other.pages_.begin(), other.pages_.begin() + count);
  table_.assign(other.table_.begin(), other.table_.begin() + count);
}

void KvCache::copy_page(std::size_t i, std::size_t positions, std::byte* out) const noexcept {
  std::memcpy(out, table_[i], page_bytes_);
  if (positions >= kernels::kKvBlock) return;
  for (std::size_t at = 0; at < page_bytes_; at += block_bytes_) clear_behind(format_, out + at, positions, head_dim_);
}

}  // namespace lfm::model
