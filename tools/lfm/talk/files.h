// Small files that belong to the user.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "lfm/result.h"

namespace lfm::cli {

// An open file that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const noexcept { return number_; }

 private:
  int number_;
};

// "cannot read: Permission denied", by errno, about the path.
Error io_error(const char* what, const std::string& path);

bool write_all(int file, std::string_view bytes);

// The last bytes of a file, at most so many. False: errno tells.
bool read_end(int file, std::size_t most, std::string& text);

// Makes the file's content this one, completely or not at all, for its owner alone. kIo.
Status replace_file(const std::string& path, std::string_view bytes);

// "~/talk.json" with the user's home folder.
std::string with_home(const std::string& path);

}  // namespace lfm::cli
