// Looking things up by name and finding names that are there twice, without hashing what a file says.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string_view>
#include <vector>

namespace lfm::format {

// Indices of `items` in the order of their names; items of the same name keep the file's order.
template <typename T>
std::vector<std::uint32_t> sorted_by(const std::vector<T>& items, std::string_view T::*name) {
  std::vector<std::uint32_t> order(items.size());
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int compared = (items[a].*name).compare(items[b].*name);
    return compared != 0 ? compared < 0 : a < b;
  });
  return order;
}

// The later one of the first two neighbours of `order` with the same name; none where all differ.
template <typename T>
std::optional<std::uint32_t> duplicate(const std::vector<T>& items, const std::vector<std::uint32_t>& order,
                                       std::string_view T::*name) {
  const auto at = std::adjacent_find(
      order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return items[a].*name == items[b].*name; });
  if (at == order.end()) return std::nullopt;
  return *(at + 1);
}

// The item called `wanted`; null where there is none.
template <typename T>
const T* find_by(const std::vector<T>& items, const std::vector<std::uint32_t>& order, std::string_view T::*name,
                 std::string_view wanted) noexcept {
  const auto at = std::lower_bound(order.begin(), order.end(), wanted,
                                   [&](std::uint32_t i, std::string_view w) { return items[i].*name < w; });
  return at != order.end() && items[*at].*name == wanted ? &items[*at] : nullptr;
}

}  // namespace lfm::format
