// What src/base calls of POSIX and Windows has otherwise; included before all else there, but for posix.h. Others may
// rename and remove files while they are open.
#pragma once

// First of all whose names are taken below.
#include <dirent.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>

struct lfm_stat {
  std::uint64_t st_dev, st_ino, st_nlink;
  std::int64_t st_size;
  timespec st_atim, st_mtim, st_ctim;
  std::uint32_t st_mode, st_uid;
};
int lfm_open(const char* path, int flags, int mode = 0) noexcept;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"  // a function and a struct of one name, as POSIX has them
int lfm_stat(const char* path, struct lfm_stat* status) noexcept;
#pragma GCC diagnostic pop
int lfm_fstat(int file, struct lfm_stat* status) noexcept;
int lfm_rename(const char* from, const char* to) noexcept;  // in the place of what is there
#undef stat
#undef fstat
#define open lfm_open
#define stat lfm_stat
#define lstat lfm_stat
#define fstat lfm_fstat
#define rename lfm_rename
