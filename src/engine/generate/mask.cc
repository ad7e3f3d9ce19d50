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

Status Mask::ask(const MaskCallback& callback, MaskQuery query) {
  query.allowed = {words()};
  const base::CallersFloatMode mode;
  return callback(query);
}

}  // namespace lfm::engine
