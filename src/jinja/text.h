// Text that knows, for each of its bytes, who wrote it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lfm::jinja {

// The template's own words, or what it was given: messages, tools, numbers in them, and what was made of these.
enum class Origin : std::uint8_t { kTemplate, kData };

class Text {
 public:
  Text() = default;
  Text(std::string bytes, Origin origin) : bytes_(std::move(bytes)), first_(origin) {}

  std::string_view bytes() const noexcept { return bytes_; }
  std::size_t size() const noexcept { return bytes_.size(); }
  bool empty() const noexcept { return bytes_.empty(); }

  Origin origin(std::size_t at) const noexcept;
  bool has_data() const noexcept { return !empty() && (first_ == Origin::kData || !flips_.empty()); }

  void append(const Text& other);
  void append(std::string_view bytes, Origin origin);
  void append(const Text& other, std::size_t begin, std::size_t end) { append(other.cut(begin, end)); }

  Text cut(std::size_t begin, std::size_t end) const;  // requires begin <= end <= size()

  // each(bytes, origin) for every longest stretch of one origin.
  template <typename Each>
  void runs(Each each) const {
    std::size_t begin = 0;
    Origin now = first_;
    for (const std::size_t flip : flips_) {
      each(bytes().substr(begin, flip - begin), now);
      begin = flip;
      now = other(now);
    }
    if (begin < size()) each(bytes().substr(begin), now);
  }

  std::size_t memory() const noexcept { return bytes_.capacity() + flips_.capacity() * sizeof(std::size_t); }

 private:
  static Origin other(Origin origin) noexcept { return origin == Origin::kData ? Origin::kTemplate : Origin::kData; }

  std::string bytes_;
  std::vector<std::size_t> flips_;  // ascending: where a byte's origin isn't that of the one before
  Origin first_ = Origin::kTemplate;
};

}  // namespace lfm::jinja
