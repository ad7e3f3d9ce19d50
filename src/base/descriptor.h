// Open files by their number.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <span>
#include <string_view>
#include <utility>

namespace lfm::base {

// Closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const noexcept { return number_; }
  int release() noexcept { return std::exchange(number_, -1); }

 private:
  int number_;
};

// As ::read() and ::write(), but that interrupted ones are begun again, and that one that doesn't block is waited for
// where it isn't ready. read_some(): 0 is the end, -1 an error. Both leave the reason in errno.
ssize_t read_some(int file, std::span<char> out) noexcept;
bool write_all(int file, std::string_view bytes) noexcept;

}  // namespace lfm::base
