// The keys and values of one sequence, in pages that sequences may share.
//
//   page   kernels::kKvBlock positions: of each attention layer, of each of its KV heads, a block (kernels' kv_format.h)
//   slab   memory for the pages of a whole context, touched as they are filled
//
// A cache that shares another one's pages copies nothing. Who is about to write to a page that others have too gets one
// of its own first.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "kernels/attention/kv_format.h"
#include "lfm/result.h"
#include "model/config.h"
#include "ops/attention.h"

namespace lfm::model {

class KvCache {
 public:
  // Room for `capacity` positions. kNoMemory
  static Result<KvCache> create(const Config& config, std::size_t capacity, kernels::KvFormat format);

  // Before positions begin .. end-1 are written, end <= the capacity: pages of its own for them, with what they hold
  // before `begin`. kNoMemory
  Status own(std::size_t begin, std::size_t end);

  // Has the other one's pages of its first `positions`, instead of what it had. Both are of one model and format.
  void share(const KvCache& other, std::size_t positions);

  ops::KvLayer layer(std::size_t i) const noexcept { return {format_, table_.data(), offsets_[i], block_bytes_}; }

  kernels::KvFormat format() const noexcept { return format_; }
  std::size_t page_bytes() const noexcept { return page_bytes_; }
  static std::size_t pages_of(std::size_t positions) noexcept;  // that hold so many
  std::byte* page(std::size_t i) noexcept { return table_[i]; }

  // Copies page i, with zeros behind its first `positions`.
  void copy_page(std::size_t i, std::size_t positions, std::byte* out) const noexcept;

 private:
  struct Slab {
    base::Memory memory;
    std::unique_ptr<std::atomic<std::uint32_t>[]> users;  // of each page: caches
    std::size_t pages = 0;
  };

  // One cache's hold on a page.
  class Page {
   public:
    Page(std::shared_ptr<Slab> slab, std::size_t index) noexcept : slab_(std::move(slab)), index_(index) {}
    Page(const Page& other) noexcept : slab_(other.slab_), index_(other.index_) { ++slab_->users[index_]; }
    Page(Page&& other) noexcept = default;
    Page& operator=(Page other) noexcept {
      std::swap(slab_, other.slab_);
      std::swap(index_, other.index_);
      return *this;
    }
    ~Page() {
      if (slab_ != nullptr) --slab_->users[index_];
    }
    // Only the cache that has it can share it, so that a page that isn't shared stays so.
    bool shared() const noexcept { return slab_->users[index_] > 1; }
    std::byte* data(std::size_t page_bytes) const noexcept { return slab_->memory.data() + index_ * page_bytes; }

   private:
    std::shared_ptr<Slab> slab_;
    std::size_t index_;
  };

  Status new_slab();
  Result<Page> new_page();

  kernels::KvFormat format_ = kernels::KvFormat::kF16;
  std::size_t head_dim_ = 0;
  std::size_t block_bytes_ = 0;
  std::size_t page_bytes_ = 0;
  std::size_t max_pages_ = 0;
  std::vector<std::size_t> offsets_;  // of each layer in a page
  std::shared_ptr<Slab> slab_;        // new pages come from it, taken by this cache alone
  std::size_t next_ = 0;              // where in it the search for one begins
  std::vector<Page> pages_;
  std::vector<std::byte*> table_;  // where they are
};

}  // namespace lfm::model
