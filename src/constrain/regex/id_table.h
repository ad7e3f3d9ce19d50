// Finds what is stored once each by its hash. Ids and what they stand for are the owner's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace lfm::constrain {

class IdTable {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  // The id for which is_it(id) is true, or kNone.
  template <typename IsIt>
  std::uint32_t find(std::uint32_t hash, const IsIt& is_it) const {
    const std::vector<Slot>& slots = parts_[hash % kParts].slots;
    if (slots.empty()) return kNone;
    for (std::size_t at = hash / kParts;; ++at) {
      const Slot& slot = slots[at & (slots.size() - 1)];
      if (slot.id == kNone || (slot.hash == hash && is_it(slot.id))) return slot.id;
    }
  }

  void add(std::uint32_t hash, std::uint32_t id) {
    Part& part = parts_[hash % kParts];
    if (++part.count * 2 > part.slots.size()) {
      const std::size_t size = part.slots.empty() ? 8 : part.slots.size() * 2;
      const std::vector<Slot> before = std::exchange(part.slots, std::vector<Slot>(size));
      for (const Slot& slot : before)
        if (slot.id != kNone) put(part.slots, slot);
    }
    put(part.slots, {hash, id});
  }

 private:
  static constexpr std::uint32_t kParts = 16;  // that grow by themselves: to grow all at once takes long

  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t id = kNone;
  };
  struct Part {
    std::vector<Slot> slots;  // as many as a power of two
    std::size_t count = 0;
  };

  static void put(std::vector<Slot>& slots, const Slot& slot) {
    std::size_t at = slot.hash / kParts;
    while (slots[at & (slots.size() - 1)].id != kNone) ++at;
    slots[at & (slots.size() - 1)] = slot;
  }

  std::array<Part, kParts> parts_;
};

// Mixes a word into a hash.
inline std::uint32_t mixed(std::uint32_t hash, std::uint32_t word) noexcept {
  const std::uint64_t product = (std::uint64_t{hash} ^ word) * 0x9e3779b97f4a7c15u;
  return static_cast<std::uint32_t>(product >> 32) ^ static_cast<std::uint32_t>(product);
}

}  // namespace lfm::constrain
