#include "base/windows/posix.h"
// Before the names that it takes are free again.
#include "base/windows/files.h"
#undef open
#undef stat
#undef lstat
#undef fstat
#undef rename
#include <windows.h>
// After it.
#include <psapi.h>

#include <cerrno>
#include <cstring>

namespace {

int failed() noexcept {
  switch (::GetLastError()) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
      errno = ENOENT;
      break;
    case ERROR_FILE_EXISTS:
    case ERROR_ALREADY_EXISTS:
      errno = EEXIST;
      break;
    case ERROR_ACCESS_DENIED:
    case ERROR_SHARING_VIOLATION:
      errno = EACCES;
      break;
    case ERROR_DISK_FULL:
      errno = ENOSPC;
      break;
    case ERROR_LOCK_VIOLATION:
    case ERROR_IO_PENDING:
      errno = EWOULDBLOCK;
      break;
    default:
      errno = EIO;
  }
  return -1;
}

HANDLE handle_of(int file) noexcept {
  return reinterpret_cast<HANDLE>(::_get_osfhandle(file));
}

constexpr DWORD kShared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

timespec time_of(const FILETIME& time) noexcept {
  constexpr std::int64_t kTicks = 10'000'000, kUntil1970 = 11'644'473'600;  // a second, of 100 ns; seconds since 1601
  const auto ticks = static_cast<std::int64_t>(std::uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime);
  return {ticks / kTicks - kUntil1970, static_cast<long>(ticks % kTicks * 100)};
}

int stat_of(HANDLE handle, struct lfm_stat* status) noexcept {
  BY_HANDLE_FILE_INFORMATION info;
  FILE_BASIC_INFO times;
  if (!::GetFileInformationByHandle(handle, &info) ||
      !::GetFileInformationByHandleEx(handle, FileBasicInfo, &times, sizeof times)) {
    return failed();
  }
  FILETIME changed;
  changed.dwLowDateTime = times.ChangeTime.LowPart;
  changed.dwHighDateTime = static_cast<DWORD>(times.ChangeTime.HighPart);
  const bool folder = (info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
  const bool fixed = (info.dwFileAttributes & FILE_ATTRIBUTE_READONLY) != 0;
  *status = {};
  status->st_dev = info.dwVolumeSerialNumber;
  status->st_ino = std::uint64_t{info.nFileIndexHigh} << 32 | info.nFileIndexLow;
  status->st_nlink = info.nNumberOfLinks;
  status->st_size = static_cast<std::int64_t>(std::uint64_t{info.nFileSizeHigh} << 32 | info.nFileSizeLow);
  status->st_atim = time_of(info.ftLastAccessTime);
  status->st_mtim = time_of(info.ftLastWriteTime);
  status->st_ctim = time_of(changed);
  status->st_mode = (folder ? S_IFDIR : S_IFREG) | S_IRUSR | (fixed ? 0u : unsigned{S_IWUSR});
  return 0;
}

OVERLAPPED at(std::int64_t offset) noexcept {
  OVERLAPPED place{};
  place.Offset = static_cast<DWORD>(offset);
  place.OffsetHigh = static_cast<DWORD>(offset >> 32);
  return place;
}

DWORD at_most(std::size_t bytes) noexcept {
  return static_cast<DWORD>(bytes < (1u << 30) ? bytes : 1u << 30);
}

}  // namespace

int lfm_open(const char* path, int flags, int) noexcept {
  const int access = flags & (_O_RDONLY | _O_WRONLY | _O_RDWR);
  const DWORD wanted = access == _O_RDONLY   ? GENERIC_READ
                       : access == _O_WRONLY ? GENERIC_WRITE
                                             : GENERIC_READ | GENERIC_WRITE;
  const DWORD how = (flags & _O_CREAT) == 0 ? OPEN_EXISTING : (flags & _O_EXCL) != 0 ? CREATE_NEW : OPEN_ALWAYS;
  // With semantics of backup a folder can be opened too.
  const HANDLE handle = ::CreateFileA(path, wanted, kShared, nullptr, how, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
  if (handle == INVALID_HANDLE_VALUE) return failed();
  const int file = ::_open_osfhandle(reinterpret_cast<std::intptr_t>(handle), _O_BINARY | _O_NOINHERIT);
  if (file < 0) ::CloseHandle(handle);
  return file;
}

int lfm_stat(const char* path, struct lfm_stat* status) noexcept {
  const HANDLE handle = ::CreateFileA(path, 0, kShared, nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
  if (handle == INVALID_HANDLE_VALUE) return failed();
  const int result = stat_of(handle, status);
  ::CloseHandle(handle);
  return result;
}

int lfm_fstat(int file, struct lfm_stat* status) noexcept {
  return stat_of(handle_of(file), status);
}

int lfm_rename(const char* from, const char* to) noexcept {
  return ::MoveFileExA(from, to, MOVEFILE_REPLACE_EXISTING) ? 0 : failed();
}

int link(const char* from, const char* to) noexcept {
  return ::CreateHardLinkA(to, from, nullptr) ? 0 : failed();
}

int fcntl(int file, int what, int) noexcept {
  return what == F_DUPFD_CLOEXEC ? ::_dup(file) : 0;
}

ssize_t pread(int file, void* out, std::size_t bytes, std::int64_t offset) noexcept {
  OVERLAPPED place = at(offset);
  DWORD count = 0;
  if (::ReadFile(handle_of(file), out, at_most(bytes), &count, &place)) return count;
  return ::GetLastError() == ERROR_HANDLE_EOF ? 0 : failed();
}

ssize_t pwrite(int file, const void* from, std::size_t bytes, std::int64_t offset) noexcept {
  OVERLAPPED place = at(offset);
  DWORD count = 0;
  return ::WriteFile(handle_of(file), from, at_most(bytes), &count, &place) ? count : failed();
}

int fsync(int file) noexcept {
  struct lfm_stat status;
  if (stat_of(handle_of(file), &status) == 0 && S_ISDIR(status.st_mode)) return 0;  // names are written at once
  return ::FlushFileBuffers(handle_of(file)) ? 0 : failed();
}

// Of a byte behind all that files have, since here a lock keeps others from reading and writing.
int flock(int file, int) noexcept {
  OVERLAPPED place = at(INT64_MAX - 1);
  return ::LockFileEx(handle_of(file), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &place) ? 0
                                                                                                             : failed();
}

char* realpath(const char* path, char*) noexcept {
  if (::access(path, F_OK) != 0) return nullptr;
  char* const full = ::_fullpath(nullptr, path, 0);
  if (full != nullptr) {
    for (char* c = full; *c != '\0'; ++c) *c = *c == '\\' ? '/' : *c;
  }
  return full;
}

void* mmap(void* at, std::size_t bytes, int protection, int flags, int file, std::int64_t) noexcept {
  if (at != nullptr || file >= 0 || (flags & MAP_FIXED) != 0) {
    errno = ENOSYS;
    return MAP_FAILED;
  }
  const bool used = protection != PROT_NONE;
  void* const memory = ::VirtualAlloc(nullptr, bytes, used ? MEM_RESERVE | MEM_COMMIT : MEM_RESERVE,
                                      used ? PAGE_READWRITE : PAGE_NOACCESS);
  if (memory == nullptr) errno = ENOMEM;
  return memory != nullptr ? memory : MAP_FAILED;
}

int munmap(void* at, std::size_t) noexcept {
  return ::VirtualFree(at, 0, MEM_RELEASE) ? 0 : failed();
}

int mprotect(void* at, std::size_t bytes, int protection) noexcept {
  const DWORD wanted = protection == PROT_NONE   ? PAGE_NOACCESS
                       : protection == PROT_READ ? PAGE_READONLY
                                                 : PAGE_READWRITE;
  DWORD before;
  return ::VirtualAlloc(at, bytes, MEM_COMMIT, wanted) != nullptr && ::VirtualProtect(at, bytes, wanted, &before)
             ? 0
             : failed();
}

long sysconf(int what) noexcept {
  SYSTEM_INFO info;
  ::GetSystemInfo(&info);
  return static_cast<long>(what == _SC_PAGESIZE ? info.dwPageSize : info.dwNumberOfProcessors);
}

int getrusage(int, rusage* usage) noexcept {
  PROCESS_MEMORY_COUNTERS counters;
  if (!::GetProcessMemoryInfo(::GetCurrentProcess(), &counters, sizeof counters)) return failed();
  usage->ru_maxrss = static_cast<long>(counters.PeakWorkingSetSize / 1024);
  usage->ru_majflt = 0;
  return 0;
}
