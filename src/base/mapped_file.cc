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

#include "base/background.h"
#include "base/checked.h"
#include "base/file_lease.h"
#include "base/huge_pages.h"
#include "base/try.h"

namespace lfm::base {

namespace {

// As long as a short run takes, which would pay for the moving and have nothing of it.
constexpr std::chrono::seconds kBeforeSettling{10};

std::byte* align_up(std::byte* address) {
  const auto past = reinterpret_cast<std::uintptr_t>(address) % kHugePage;
  return past == 0 ? address : address + (kHugePage - past);
}

// Addresses for a piece, at a multiple of kHugePage, until it takes the place of another.
class Piece {
 public:
  explicit Piece(std::size_t bytes) noexcept
      : size_(round_up(bytes, static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)))) {
    void* room = ::mmap(nullptr, size_ + kHugePage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return;
    room_ = static_cast<std::byte*>(room);
    data_ = align_up(room_);
  }
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;
  ~Piece() {
    if (room_ == nullptr) return;
    std::byte* const end = data_ + size_;
    if (data_ > room_) ::munmap(room_, static_cast<std::size_t>(data_ - room_));
    // Not once it is elsewhere: others may have been given the addresses.
    if (!placed_) ::munmap(data_, size_);
    ::munmap(end, static_cast<std::size_t>(room_ + size_ + kHugePage - end));
  }

  // Null where there is no room.
  std::byte* memory() noexcept { return map(PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_NORESERVE, -1, 0); }
  const std::byte* of(const File& file, std::uint64_t offset) noexcept {
    return map(PROT_READ, 0, file.descriptor(), static_cast<off_t>(offset));
  }

  // The system does that in one step, so that readers see the one or the other.
  bool put_at(std::byte* place) noexcept {
    placed_ = ::mremap(data_, size_, size_, MREMAP_MAYMOVE | MREMAP_FIXED, place) != MAP_FAILED;
    return placed_;
  }

 private:
  std::byte* map(int protection, int flags, int descriptor, off_t offset) noexcept {
    if (room_ == nullptr) return nullptr;
    if (::mmap(data_, size_, protection, MAP_PRIVATE | MAP_FIXED | flags, descriptor, offset) == MAP_FAILED)
      return nullptr;
    (void)::madvise(data_, size_, MADV_HUGEPAGE);
    return data_;
  }

  const std::size_t size_;
  std::byte* room_ = nullptr;  // size_ + kHugePage bytes
  std::byte* data_ = nullptr;  // in them
  bool placed_ = false;
};

// Enters pages into the page table, reading those that aren't in memory; false with errno where that can't be.
bool page_in(const std::byte* data, std::size_t bytes) noexcept {
#ifdef MADV_POPULATE_READ
  return ::madvise(const_cast<std::byte*>(data), bytes, MADV_POPULATE_READ) == 0;
#else
  return ::madvise(const_cast<std::byte*>(data), bytes, MADV_WILLNEED) == 0;
#endif
}

}  // namespace

struct MappedFile::State {
  State(File own, std::uint64_t begin, std::uint64_t bytes) : file(std::move(own)), offset(begin), size(bytes) {}
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
    if (room != nullptr) ::munmap(room, size + kHugePage);
  }

  void leave_file() noexcept;
  void move_to_huge_pages() noexcept;
  bool replace(std::size_t at, std::size_t bytes) noexcept;
  bool restore(std::size_t at, const PageMap& pages) noexcept;
  bool read(std::size_t at, std::span<std::byte> out) const noexcept;

  File file;
  const std::uint64_t offset;  // in the file
  const std::size_t size;
  std::byte* room = nullptr;  // size + kHugePage bytes of addresses
  std::byte* data = nullptr;  // in them, at a multiple of kHugePage
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

// Puts memory with the same bytes in the place of a piece of the map.
bool MappedFile::State::replace(std::size_t at, std::size_t bytes) noexcept {
  Piece piece(bytes);
  std::byte* const memory = piece.memory();
  return memory != nullptr && read(at, {memory, bytes}) && piece.put_at(data + at);
}

// Has the system read a piece again that memory of ours has taken the place of, and puts it back if it is in a huge
// page now: shared by processes, and huge for the next one.
bool MappedFile::State::restore(std::size_t at, const PageMap& pages) noexcept {
  file.forget(offset + at, kHugePage);
  Piece piece(kHugePage);
  const std::byte* const mapped = piece.of(file, offset + at);
  return mapped != nullptr && page_in(mapped, kHugePage) && pages.is_huge(mapped) && piece.put_at(data + at);
}

void MappedFile::State::move_to_huge_pages() noexcept {
  constexpr int kBetweenLooks = 16;
  try {
    std::unique_lock lock(moving);
    wake.wait_for(lock, kBeforeSettling, [&] { return wanted || gone; });
    lock.unlock();
    const PageMap pages;
    int moved = 0;
    bool restores = true;  // until one fails: the file system may not have huge pages, or others use the small ones
    for (std::size_t at = 0; at + kHugePage <= size; at += kHugePage) {
      if (pages.is_huge(data + at)) continue;
      if (moved++ % kBetweenLooks == 0) {
        const AvailableMemory memory = available_memory();
        if (memory.available < memory.total / 8 + kBetweenLooks * kHugePage) return;
      }
      lock.lock();
      if (left || gone || !replace(at, kHugePage)) return;
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
  // At a multiple of kHugePage, so that huge pages can be in it.
  const std::size_t room_bytes = bytes + kHugePage;
  void* room = ::mmap(nullptr, room_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return io_error("cannot map", file.path(), errno);
  std::byte* begin = align_up(static_cast<std::byte*>(room));
  void* address =
      ::mmap(begin, bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED, file.descriptor(), static_cast<off_t>(offset));
  if (address == MAP_FAILED) {
    const int error = errno;
    ::munmap(room, room_bytes);
    return io_error("cannot map", file.path(), error);
  }
  state.data = begin;
  state.room = static_cast<std::byte*>(room);
  // Where the file system has them in large pieces, fewer entries of the TLB cover them.
  (void)::madvise(address, bytes, MADV_HUGEPAGE);
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
  return state_ != nullptr ? state_->data : nullptr;
}

std::size_t MappedFile::size() const noexcept {
  return state_ != nullptr ? state_->size : 0;
}

Status MappedFile::check_intact() const {
  if (state_ == nullptr || !state_->lost) return {};
  return Error{ErrorCode::kIo, "the file was changed while it was in use", printable(state_->file.path())};
}

Status MappedFile::populate(std::size_t offset, std::size_t bytes) const {
  // Older systems don't know it (EINVAL).
  if (!page_in(state_->data + offset, bytes) && (errno == EFAULT || errno == EHWPOISON)) {
    Error error = io_error("cannot read", state_->file.path(), EIO);
    error.offset = state_->offset + offset;
    return error;
  }
  return {};
}

void MappedFile::start_settling() {
  if (state_ == nullptr || state_->size < kHugePage || !huge_pages_enabled()) return;
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
  state_->settled.wait(false);
}

}  // namespace lfm::base
