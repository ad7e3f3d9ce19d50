#include "model/pages.h"

#include <algorithm>
#include <new>
#include <span>

#include "base/huge_pages.h"
#include "base/try.h"

namespace lfm::model {

// Given back while it is still held: once nobody does, its slab may lend it again at any moment.
void Pages::Page::let_go() noexcept {
  std::atomic<std::uint32_t>& holds = slab_->holds[index_];
  for (std::uint32_t held = holds; held > 1;) {
    if (holds.compare_exchange_weak(held, held - 1)) return;
  }
  base::give_back({data(), slab_->page_bytes});
  holds = 0;
}

Status Pages::grow() try {
  const std::size_t first = std::max<std::size_t>(16, (1 << 20) / page_bytes_);  // a mebibyte of small ones
  auto slab = std::make_shared<Slab>();
  slab->count = std::min(std::max(asked_, first), asked_ < count_ ? count_ - asked_ : count_);
  LFM_ASSIGN(slab->memory, base::Memory::allocate(slab->count * page_bytes_));
  // A token reads all of a long context, of which the TLB would hold next to nothing in small pages. What a short one
  // or a fork has of its own stays in small ones, which are filled as it grows.
  const std::span<std::byte> all(slab->memory.data(), slab->memory.size());
  const std::size_t small = 2 * base::page_sizes().huge, before = std::min(small, asked_ * page_bytes_);
  base::want_huge(all.subspan(std::min(all.size(), small - before)));
  slab->page_bytes = page_bytes_;
  slab->holds = std::make_unique<std::atomic<std::uint32_t>[]>(slab->count);
  slabs_.push_back(slab);
  asked_ += slab->count;
  slab_ = slabs_.size() - 1;
  next_ = 0;
  return {};
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::kNoMemory, {}};
}

Result<Pages::Page> Pages::take() {
  for (;;) {
    for (std::size_t tried = 0; tried < asked_; ++tried) {
      if (next_ == slabs_[slab_]->count) {
        slab_ = (slab_ + 1) % slabs_.size();
        next_ = 0;
      }
      const std::size_t index = next_++;
      if (slabs_[slab_]->holds[index] != 0) continue;
      slabs_[slab_]->holds[index] = 1;
      return Page(slabs_[slab_], index);
    }
    LFM_TRY(grow());
  }
}

}  // namespace lfm::model
