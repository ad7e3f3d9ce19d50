// Digests by which the hub names files: SHA-256, or Git's SHA-1, whose text begins with the size.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace lfm::hub {

class Digest {
 public:
  // Of the kind that `expected` is: 64 digits for SHA-256, 40 for Git's.
  Digest(std::string_view expected, std::uint64_t bytes);
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  ~Digest();

  void add(std::string_view bytes);
  std::string finish();  // hexadecimal, in lower case

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lfm::hub
