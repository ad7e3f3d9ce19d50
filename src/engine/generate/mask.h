// Which tokens may come next: all, but for those that somebody takes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lfm/mask.h"
#include "lfm/result.h"
#include "lfm/types.h"

namespace lfm::engine {

// A set of tokens that is full again for each position. Everybody who has something to say takes tokens out of it in
// turn, and the sampler sees what is left.
class Mask {
 public:
  explicit Mask(std::size_t vocabulary) : words_((vocabulary + 31) / 32) {}

  void begin() noexcept { narrowed_ = false; }

  void take_out(std::span<const TokenId> ids) noexcept;

  // Takes out all but these; token t is bit t % 64 of word t / 64.
  void keep(std::span<const std::uint64_t> allowed) noexcept;

  // Errors of the callback.
  Status ask(const MaskCallback& callback, MaskQuery query);

  // For the sampler: empty where nobody took anything out.
  std::span<const std::uint32_t> left() const noexcept {
    return narrowed_ ? std::span<const std::uint32_t>(words_) : std::span<const std::uint32_t>();
  }

 private:
  std::span<std::uint32_t> words() noexcept;  // filled when they are first asked for

  std::vector<std::uint32_t> words_;
  bool narrowed_ = false;
};

}  // namespace lfm::engine
