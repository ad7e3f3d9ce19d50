#include "model/pages.h"

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

Status Pages::reserve() {
  auto slab = std::make_shared<Slab>();
  LFM_ASSIGN(slab->memory, base::Memory::allocate(count_ * page_bytes_));
  slab->page_bytes = page_bytes_;
  slab->count = count_;
  slab->holds = std::make_unique<std::atomic<std::uint32_t>[]>(count_);
  slab_ = std::move(slab);
  next_ = 0;
  return {};
}

Result<Pages::Page> Pages::take() {
  if (slab_ == nullptr) LFM_TRY(reserve());
  for (;;) {
    for (std::size_t tried = 0; tried < count_; ++tried) {
      const std::size_t index = (next_ + tried) % count_;
      if (slab_->holds[index] != 0) continue;
      slab_->holds[index] = 1;
      next_ = index + 1;
      return Page(slab_, index);
    }
    LFM_TRY(reserve());
  }
}

}  // namespace lfm::model
