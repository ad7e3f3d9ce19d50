// What src/base and tests call of POSIX and Windows hasn't; included before all else there. What can't be had is
// refused with ENOSYS: then files are read instead of mapped. Paths are in the system's code page.
#pragma once

// First of all whose names are taken below.
#include <dirent.h>
#include <fcntl.h>
#include <io.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>

inline constexpr int O_CLOEXEC = _O_NOINHERIT | _O_BINARY, O_NONBLOCK = 0, O_NOCTTY = 0, O_NOFOLLOW = 0,
                     O_DIRECTORY = 0;
inline constexpr int F_DUPFD_CLOEXEC = 0, F_SETFD = 1, FD_CLOEXEC = 1, LOCK_EX = 0, LOCK_NB = 0;
int fcntl(int file, int what, int argument) noexcept;
// Of so many bytes at once; they may do fewer.
inline ssize_t read(int file, void* out, std::size_t bytes) noexcept {
  return ::read(file, out, static_cast<unsigned>(bytes < INT_MAX ? bytes : INT_MAX));
}
inline ssize_t write(int file, const void* from, std::size_t bytes) noexcept {
  return ::write(file, from, static_cast<unsigned>(bytes < INT_MAX ? bytes : INT_MAX));
}
ssize_t pread(int file, void* out, std::size_t bytes, std::int64_t offset) noexcept;
ssize_t pwrite(int file, const void* from, std::size_t bytes, std::int64_t offset) noexcept;
int fsync(int file) noexcept;
int flock(int file, int how) noexcept;  // does not wait
int link(const char* from, const char* to) noexcept;
char* realpath(const char* path, char* out) noexcept;

inline int setenv(const char* name, const char* value, int) noexcept {
  return ::_putenv_s(name, value);
}
inline int unsetenv(const char* name) noexcept {
  return ::_putenv_s(name, "");
}

// There is one user, and nobody else has rights.
#undef S_IRGRP
#undef S_IROTH
#undef S_IWGRP
#undef S_IWOTH
inline constexpr std::uint32_t S_IRGRP = 0, S_IROTH = 0, S_IWGRP = 0, S_IWOTH = 0;
inline std::uint32_t geteuid() noexcept {
  return 0;
}
inline int fchmod(int, unsigned) noexcept {
  return 0;
}
inline int mkdir(const char* path, int) noexcept {
  return ::mkdir(path);
}

// Nothing waits here for files to be ready.
inline constexpr short POLLIN = 1, POLLOUT = 4;
struct pollfd {
  int fd;
  short events, revents;
};
inline int poll(pollfd*, int, int) noexcept {
  return -1;
}

// Memory of no file, to be given back as a whole.
inline constexpr int PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2;
inline constexpr int MAP_PRIVATE = 1, MAP_ANONYMOUS = 2, MAP_NORESERVE = 4, MAP_FIXED = 8, MAP_SHARED = 16;
inline constexpr int MADV_DONTNEED = 0, POSIX_MADV_WILLNEED = 0;
inline void* const MAP_FAILED = reinterpret_cast<void*>(-1);
void* mmap(void* at, std::size_t bytes, int protection, int flags, int file, std::int64_t offset) noexcept;
int munmap(void* at, std::size_t bytes) noexcept;
int mprotect(void* at, std::size_t bytes, int protection) noexcept;
inline int madvise(void*, std::size_t, int) noexcept {
  return -1;
}
inline int posix_madvise(void*, std::size_t, int) noexcept {
  return -1;
}

inline constexpr int _SC_PAGESIZE = 0, _SC_NPROCESSORS_ONLN = 1;
long sysconf(int what) noexcept;
inline constexpr int RUSAGE_SELF = 0;
struct rusage {
  long ru_maxrss;  // KiB
  long ru_majflt;  // 0: files are read
};
int getrusage(int who, rusage* usage) noexcept;
