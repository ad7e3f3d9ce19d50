#include "engine/generate/mask.h"

#include <algorithm>

#include "base/float_mode.h"

namespace lfm::engine {

std::span<std::uint32_t> Mask::words() noexcept {
  if (!narrowed_) std::fill(words_.begin(), words_.end(), ~std::uint32_t{0});
  narrowed_ = true;
  return words_;
}

void Mask::take_out(std::span<const TokenId> ids) noexcept {
  for (const TokenId id : ids) TokenBits{words()}.remove(id);
}

void Mask::keep(std::span<const std::uint64_t> allowed) noexcept {
  const std::span<std::uint32_t> mine = words();
  for (std::size_t i = 0; i < mine.size(); ++i) {
    mine[i] &= i / 2 < allowed.size() ? static_cast<std::uint32_t>(allowed[i / 2] >> (i % 2 * 32)) : 0;
  }
}

Status Mask::ask(const MaskCallback& callback, MaskQuery query) {
  query.allowed = {words()};
  const base::CallersFloatMode mode;
  return callback(query);
}

}  // namespace lfm::engine
