#include "base/mapped_file.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <new>
#include <optional>
#include <span>
#include <utility>

#include "base/file_lease.h"
#include "base/try.h"

namespace lfm::base {

struct MappedFile::State {
  State(File own, std::uint64_t begin, std::uint64_t bytes) : file(std::move(own)), offset(begin), size(bytes) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    lease.reset();
    if (data != nullptr) ::munmap(data, size);
  }

  void leave_file() noexcept;
  bool replace(std::size_t at, std::size_t bytes) noexcept;
  bool read(std::size_t at, std::span<std::byte> out) const noexcept;

  File file;
  const std::uint64_t offset;  // in the file
  const std::size_t size;
  std::byte* data = nullptr;
  std::atomic<bool> lost = false;
  std::optional<FileLease> lease;
};

// Read, not copied from the map: should the file have been cut for all that, it is an error and no signal.
bool MappedFile::State::read(std::size_t at, std::span<std::byte> out) const noexcept {
  try {
    return file.read_at(offset + at, out).ok();
  } catch (const std::bad_alloc&) {
    return false;
  }
}

// Puts memory with the same bytes in the place of a piece of the map. The system does that in one step, so that readers
// see the one or the other.
bool MappedFile::State::replace(std::size_t at, std::size_t bytes) noexcept {
  void* piece = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (piece == MAP_FAILED) return false;
  if (read(at, {static_cast<std::byte*>(piece), bytes}) &&
      ::mremap(piece, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, data + at) != MAP_FAILED) {
    return true;
  }
  ::munmap(piece, bytes);
  return false;
}

void MappedFile::State::leave_file() noexcept {
  constexpr std::size_t kPiece = std::size_t{32} << 20;
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
  void* address = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file.descriptor(), static_cast<off_t>(offset));
  if (address == MAP_FAILED) return io_error("cannot map", file.path(), errno);
  state.data = static_cast<std::byte*>(address);
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
#ifdef MADV_POPULATE_READ
  // Older systems don't know it (EINVAL).
  if (::madvise(state_->data + offset, bytes, MADV_POPULATE_READ) != 0 && (errno == EFAULT || errno == EHWPOISON)) {
    Error error = io_error("cannot read", state_->file.path(), EIO);
    error.offset = state_->offset + offset;
    return error;
  }
#else
  (void)::madvise(state_->data + offset, bytes, MADV_WILLNEED);
#endif
  return {};
}

}  // namespace lfm::base
