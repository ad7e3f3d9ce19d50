#include "jinja/text.h"

#include <algorithm>

namespace lfm::jinja {

Origin Text::origin(std::size_t at) const noexcept {
  const auto flips = std::upper_bound(flips_.begin(), flips_.end(), at) - flips_.begin();
  return flips % 2 == 0 ? first_ : other(first_);
}

void Text::append(std::string_view bytes, Origin origin) {
  if (bytes.empty()) return;
  if (empty()) {
    first_ = origin;
  } else if (this->origin(size() - 1) != origin) {
    flips_.push_back(size());
  }
  bytes_ += bytes;
}

void Text::append(const Text& other) {
  if (flips_.empty() && other.flips_.empty()) return append(other.bytes_, other.first_);
  other.runs([&](std::string_view bytes, Origin origin) { append(bytes, origin); });
}

Text Text::cut(std::size_t begin, std::size_t end) const {
  Text out(bytes_.substr(begin, end - begin), origin(begin));
  for (auto flip = std::upper_bound(flips_.begin(), flips_.end(), begin); flip != flips_.end() && *flip < end; ++flip) {
    out.flips_.push_back(*flip - begin);
  }
  return out;
}

}  // namespace lfm::jinja
