// Memory in pages of one size, each of which several sequences may hold. A page that nobody holds any more goes back to
// the system, also where others of its slab stay. Addresses are asked for as a sequence grows: the room that it might
// need is more than some systems give (ulimit -v, strict overcommit).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "lfm/result.h"

namespace lfm::model {

// Who lends pages to one sequence. Used by one thread at a time; the pages that it has lent, by those of their holders.
class Pages {
  // Addresses of pages, touched as they are filled.
  struct Slab {
    base::Memory memory;
    std::size_t page_bytes = 0;
    std::size_t count = 0;
    std::unique_ptr<std::atomic<std::uint32_t>[]> holds;  // of each page

    std::byte* page(std::size_t i) noexcept { return memory.data() + i * page_bytes; }
  };

 public:
  // One hold on a page, or none. Copies are further ones.
  class Page {
   public:
    Page() = default;
    Page(const Page& other) noexcept : slab_(other.slab_), index_(other.index_) {
      if (slab_ != nullptr) ++slab_->holds[index_];
    }
    Page(Page&& other) noexcept : slab_(std::move(other.slab_)), index_(other.index_) {}
    Page& operator=(Page other) noexcept {
      std::swap(slab_, other.slab_);
      std::swap(index_, other.index_);
      return *this;
    }
    ~Page() {
      if (slab_ != nullptr) let_go();
    }

    std::byte* data() const noexcept { return slab_->page(index_); }
    // Only who holds it can share it, so that a page that isn't shared stays so.
    bool shared() const noexcept { return slab_->holds[index_] > 1; }

   private:
    friend class Pages;
    Page(std::shared_ptr<Slab> slab, std::size_t index) noexcept : slab_(std::move(slab)), index_(index) {}
    void let_go() noexcept;

    std::shared_ptr<Slab> slab_;
    std::size_t index_ = 0;
  };

  // `count`: pages of a whole sequence, at least one. No memory is asked for.
  Pages(std::size_t page_bytes, std::size_t count) noexcept : page_bytes_(page_bytes), count_(count) {}
  Pages(Pages&&) noexcept = default;
  Pages& operator=(Pages&&) noexcept = default;

  std::size_t page_bytes() const noexcept { return page_bytes_; }
  std::size_t count() const noexcept { return count_; }

  // Addresses for the first pages, which take() asks for otherwise. kNoMemory
  Status reserve() { return slabs_.empty() ? grow() : Status(); }

  // A page that nobody holds, with anything in it. Where all are held there is room in another slab, for as many again
  // up to `count`; beyond that others have some of them. kNoMemory
  Result<Page> take();

 private:
  Status grow();

  std::size_t page_bytes_;
  std::size_t count_;
  std::size_t asked_ = 0;                     // pages of all slabs
  std::vector<std::shared_ptr<Slab>> slabs_;  // where pages come from, taken by this one alone
  std::size_t slab_ = 0, next_ = 0;           // where among them the search for one begins
};

}  // namespace lfm::model
