// The keys and values of one sequence, in pages that sequences may share.
//
//   page   kernels::kKvBlock positions: of each attention layer, of each of its KV heads, a block (kernels'
//   kv_format.h)
//
// A cache that shares another one's pages copies nothing. Who is about to write to a page that others have too gets one
// of its own first.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "kernels/attention/kv_format.h"
#include "lfm/result.h"
#include "model/config.h"
#include "model/pages.h"
#include "ops/attention.h"

namespace lfm::model {

class KvCache {
 public:
  // Room for `capacity` positions. kNoMemory
  static Result<KvCache> create(const Config& config, std::size_t capacity, kernels::KvFormat format);

  // Before positions begin .. end-1 are written, end <= the capacity: pages of its own for them, with what they hold
  // before `begin`. kNoMemory
  Status own(std::size_t begin, std::size_t end);

  // Another one of the same room, with the pages of the first `positions`.
  KvCache fork(std::size_t positions) const;

  // Has the other one's pages where they hold the same: those that lie before `positions` as a whole. The other one is
  // of this model and format.
  void adopt(const KvCache& other, std::size_t positions);

  ops::KvLayer layer(std::size_t i) const noexcept { return {format_, table_.data(), offsets_[i], block_bytes_}; }

  kernels::KvFormat format() const noexcept { return format_; }
  std::size_t page_bytes() const noexcept { return memory_.page_bytes(); }
  static std::size_t pages_of(std::size_t positions) noexcept;  // that hold so many
  std::size_t size() const noexcept { return table_.size(); }   // pages, those behind the last position included
  std::byte* page(std::size_t i) const noexcept { return table_[i]; }

  // Where in a page's bytes, of this cache's form, a number isn't finite; nullopt: all are.
  std::optional<std::size_t> find_not_finite(const std::byte* page) const noexcept;

  // Copies page i, with zeros behind its first `positions`.
  void copy_page(std::size_t i, std::size_t positions, std::byte* out) const noexcept;

 private:
  KvCache(std::size_t page_bytes, std::size_t max_pages);

  kernels::KvFormat format_;
  std::size_t head_dim_ = 0;
  std::size_t block_bytes_ = 0;
  std::vector<std::size_t> offsets_;  // of each layer in a page
  Pages memory_;
  std::vector<Pages::Page> pages_;
  std::vector<std::byte*> table_;  // where they are
};

}  // namespace lfm::model
