#include "base/mapped_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <utility>

#include "base/atomic_wait.h"
#include "base/background.h"
#include "base/checked.h"
#include "base/file_lease.h"
#include "base/huge_pages.h"
#include "base/system.h"
#include "base/try.h"

namespace lfm::base {

namespace {

// As long as a short run takes, which would pay for the moving and have nothing of it.
constexpr std::chrono::seconds kBeforeSettling{10};

// Addresses from a multiple of the size of a huge page on, so that there can be some.
class Room {
 public:
  explicit Room(std::size_t bytes) noexcept
      : size_(round_up(bytes, page_sizes().normal)), slack_(std::max(page_sizes().huge, page_sizes().normal)) {
    void* all = ::mmap(nullptr, size_ + slack_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) return;
    all_ = static_cast<std::byte*>(all);
    const auto past = reinterpret_cast<std::uintptr_t>(all_) % slack_;
    data_ = all_ + (slack_ - past) % slack_;
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() {
    if (all_ == nullptr) return;
    if (!moved_) {
      ::munmap(all_, size_ + slack_);
      return;
    }
    // Not what is elsewhere now: others may have been given the addresses.
    const auto before = static_cast<std::size_t>(data_ - all_);
    if (before > 0) ::munmap(all_, before);
    ::munmap(data_ + size_, slack_ - before);
  }

  // Fills the room; null with errno where that can't be.
  std::byte* with_memory() noexcept { return fill(PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_NORESERVE, -1, 0); }
  std::byte* with_file(const File& file, std::uint64_t offset) noexcept {
    return fill(PROT_READ, 0, file.descriptor(), static_cast<off_t>(offset));
  }

  // Puts what is there in the place of what is at `place`, in one step, so that readers see the one or the other.
  bool move_to(std::byte* place) noexcept {
    moved_ = system::move(data_, size_, place) == 0;
    return moved_;
  }

 private:
  std::byte* fill(int protection, int flags, int descriptor, off_t offset) noexcept {
    if (all_ == nullptr) {
      errno = ENOMEM;
      return nullptr;
    }
    if (::mmap(data_, size_, protection, MAP_PRIVATE | MAP_FIXED | flags, descriptor, offset) == MAP_FAILED)
      return nullptr;
    // Where the file system has files in large pieces, fewer entries of the TLB cover them.
    system::want_huge(data_, size_);
    return data_;
  }

  const std::size_t size_;
  const std::size_t slack_;
  std::byte* all_ = nullptr;   // size_ + slack_ bytes
  std::byte* data_ = nullptr;  // in them
  bool moved_ = false;
};

}  // namespace

struct MappedFile::State {
  State(File own, std::uint64_t begin, std::uint64_t bytes)
      : file(std::move(own)),
        lead(static_cast<std::size_t>(begin % page_sizes().normal)),
        offset(begin - lead),
        size(bytes + lead),
        room(size) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    {
      const std::lock_guard lock(moving);
      gone = true;
    }
    wake.notify_all();
    mover.reset();
    lease.reset();
  }

  void leave_file() noexcept;
  void move_to_huge_pages() noexcept;
  bool replace(std::size_t at, std::size_t bytes, const PageMap* pages = nullptr) noexcept;
  bool restore(std::size_t at, const PageMap& pages) noexcept;
  bool read(std::size_t at, std::span<std::byte> out) const noexcept;

  File file;
  const std::size_t lead;      // bytes of the first page before what was asked for
  const std::uint64_t offset;  // in the file, of that page
  const std::size_t size;      // from there
  Room room;
  std::byte* data = nullptr;  // in the room
  std::atomic<bool> lost = false;
  std::optional<FileLease> lease;

  std::mutex moving;  // one piece at a time, by whoever moves it
  std::condition_variable wake;
  bool left = false;    // there is nothing of the file any more
  bool gone = false;    // nobody needs it any more
  bool wanted = false;  // somebody waits
  std::optional<Background> mover;
  std::atomic<bool> settled = true;
};

// Read, not copied from the map: should the file have been cut for all that, it is an error and no signal.
bool MappedFile::State::read(std::size_t at, std::span<std::byte> out) const noexcept {
  try {
    return file.read_at(offset + at, out).ok();
  } catch (const std::bad_alloc&) {
    return false;
  }
}

// Puts memory with the same bytes in the place of a piece of the map; where `pages` is given, and can tell, only if it is
// in a huge page.
bool MappedFile::State::replace(std::size_t at, std::size_t bytes, const PageMap* pages) noexcept {
  Room piece(bytes);
  std::byte* const memory = piece.with_memory();
  if (memory == nullptr || !read(at, {memory, bytes})) return false;
  if (pages != nullptr && pages->known() && !pages->is_huge(memory)) return false;
  return piece.move_to(data + at);
}

// Has the system read a piece again that memory of ours has taken the place of, and puts it back if it is in a huge
// page now: shared by processes, and huge for the next one.
bool MappedFile::State::restore(std::size_t at, const PageMap& pages) noexcept {
  file.forget(offset + at, page_sizes().huge);
  Room piece(page_sizes().huge);
  const std::byte* const mapped = piece.with_file(file, offset + at);
  return mapped != nullptr && system::page_in(mapped, page_sizes().huge) == 0 && pages.is_huge(mapped) &&
         piece.move_to(data + at);
}

void MappedFile::State::move_to_huge_pages() noexcept {
  constexpr int kBetweenLooks = 16;
  try {
    std::unique_lock lock(moving);
    wake.wait_for(lock, kBeforeSettling, [&] { return wanted || gone; });
    lock.unlock();
    const PageMap pages;
    const std::size_t huge = page_sizes().huge;
    if (!worth_moving(page_sizes(), size, pages.known())) return;
    int moved = 0;
    bool restores = true;  // until one fails: the file system may not have huge pages, or others use the small ones
    for (std::size_t at = 0; at + huge <= size; at += huge) {
      if (pages.is_huge(data + at)) continue;
      if (moved++ % kBetweenLooks == 0) {
        const AvailableMemory memory = available_memory();
        if (memory.available < memory.total / 8 + kBetweenLooks * huge) return;
      }
      lock.lock();
      if (left || gone || !replace(at, huge, &pages)) return;
      restores = restores && restore(at, pages);
      lock.unlock();
    }
  } catch (const std::exception&) {  // no memory to read /proc with
  }
}

void MappedFile::State::leave_file() noexcept {
  constexpr std::size_t kPiece = std::size_t{32} << 20;
  const std::lock_guard lock(moving);
  left = true;
  for (std::size_t at = 0; at < size; at += kPiece) {
    const std::size_t bytes = std::min(kPiece, size - at);
    if (replace(at, bytes)) continue;
    // Zeros do no harm where a missing page would; what is computed from them isn't used.
    lost = true;
    (void)::mmap(data + at, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  }
}

Result<MappedFile> MappedFile::map(const File& file, std::uint64_t offset, std::uint64_t bytes, Writers writers) {
  if (!file.guarded()) {
    return Error{ErrorCode::kIo, "others may write to the file, so it can't be mapped", printable(file.path())};
  }
  LFM_ASSIGN(File own, file.duplicate());
  MappedFile mapped;
  mapped.state_ = std::make_unique<State>(std::move(own), offset, bytes);
  State& state = *mapped.state_;
  if (bytes == 0) return mapped;
  state.data = state.room.with_file(file, state.offset);
  if (state.data == nullptr) return io_error("cannot map", file.path(), errno);
  auto lease = FileLease::take(file, [&state] { state.leave_file(); });
  if (lease.ok()) {
    state.lease.emplace(*std::move(lease));
  } else if (writers == Writers::kHeldOff) {
    return std::move(lease).error();
  }
  LFM_TRY(file.check_unchanged());
  return mapped;
}

MappedFile::MappedFile() noexcept = default;
MappedFile::MappedFile(MappedFile&& other) noexcept = default;
MappedFile& MappedFile::operator=(MappedFile&& other) noexcept = default;
MappedFile::~MappedFile() = default;

const std::byte* MappedFile::data() const noexcept {
  return state_ != nullptr && state_->data != nullptr ? state_->data + state_->lead : nullptr;
}

std::size_t MappedFile::size() const noexcept {
  return state_ != nullptr ? state_->size - state_->lead : 0;
}

Status MappedFile::check_intact() const {
  if (state_ == nullptr || !state_->lost) return {};
  return Error{ErrorCode::kIo, "the file was changed while it was in use", printable(state_->file.path())};
}

Status MappedFile::populate(std::size_t offset, std::size_t bytes) const {
  const std::size_t begin = state_->lead + offset;
  const std::size_t past = begin % page_sizes().normal;
  if (system::page_in(state_->data + begin - past, bytes + past) != 0 && errno == EIO) {
    Error error = io_error("cannot read", state_->file.path(), EIO);
    error.offset = state_->offset + begin;
    return error;
  }
  return {};
}

void MappedFile::start_settling() {
  if (state_ == nullptr || !worth_moving(page_sizes(), state_->size, true)) return;
  State& state = *state_;
  state.settled = false;
  auto mover = Background::start(Background::Priority::kLowest, [&state] {
    state.move_to_huge_pages();
    state.settled = true;
    state.settled.notify_all();
  });
  if (mover.ok()) {
    state.mover.emplace(*std::move(mover));
  } else {
    state.settled = true;
  }
}

void MappedFile::settle() const noexcept {
  if (state_ == nullptr) return;
  {
    const std::lock_guard lock(state_->moving);
    state_->wanted = true;
  }
  state_->wake.notify_all();
  sleep_while(state_->settled, false);
}

}  // namespace lfm::base
