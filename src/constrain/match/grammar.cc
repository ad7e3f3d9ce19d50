#include "constrain/match/grammar.h"

#include <algorithm>

namespace lfm::constrain {
namespace {

// Of a member's flattest value, wanted or not.
template <typename Rule>
std::uint32_t member_height(const Grammar& grammar, const Rule& rule) {
  const std::uint32_t height = grammar.nodes[rule.node].height;
  return rule.wanted ? std::min(height, grammar.nodes[*rule.wanted].height) : height;
}

std::uint32_t wanted_height(const Grammar& grammar, const ObjectRule& object) {
  std::uint32_t height = kNever;
  const auto take = [&](const auto& rules) {
    for (const auto& rule : rules)
      if (rule.wanted) height = std::min(height, grammar.nodes[*rule.wanted].height);
  };
  take(object.properties);
  take(object.rest);
  return height;
}

std::uint32_t object_height(const Grammar& grammar, const ObjectRule& object) {
  std::uint32_t height = object.wants ? wanted_height(grammar, object) : 0;
  std::vector<std::uint32_t> others;
  std::uint32_t required = 0;
  for (const PropertyRule& property : object.properties) {
    const std::uint32_t h = member_height(grammar, property);
    if (property.required) {
      ++required;
      height = std::max(height, h);
    } else if (h != kNever) {
      others.push_back(h);
    }
  }
  if (height == kNever || required > object.max) return kNever;
  if (object.min > required) {
    // The flattest of the others make up the number.
    std::uint64_t missing = object.min - required;
    std::uint32_t rest = kNever;
    for (const RestRule& rule : object.rest) rest = std::min(rest, member_height(grammar, rule));
    std::sort(others.begin(), others.end());
    for (const std::uint32_t h : others) {
      if (missing == 0 || (rest != kNever && rest < h && object.rest_names >= missing)) break;
      height = std::max(height, h);
      --missing;
    }
    if (missing > 0) {
      if (rest == kNever || object.rest_names < missing) return kNever;
      height = std::max(height, rest);
    }
  }
  return height >= kMaxLevels ? kNever : height + 1;
}

std::uint32_t wanted_height(const Grammar& grammar, const ArrayRule& array) {
  std::vector<std::uint32_t> heights = {0};
  for (std::uint32_t i = 0; i <= array.first.size(); ++i) {
    for (const NodeId node : {Grammar::at(array, i), Grammar::at(array.wanted, i)}) {
      if (grammar.nodes[node].height != kNever) heights.push_back(grammar.nodes[node].height);
    }
  }
  std::sort(heights.begin(), heights.end());
  heights.erase(std::unique(heights.begin(), heights.end()), heights.end());
  for (const std::uint32_t height : heights) {
    if (height < kMaxLevels && grammar.can_end(array, 0, 0, height)) return height + 1;
  }
  return kNever;
}

std::uint32_t array_height(const Grammar& grammar, const ArrayRule& array) {
  if (array.min > array.max) return kNever;
  if (array.wanted.any()) return wanted_height(grammar, array);
  std::uint32_t height = 0;
  const auto first = static_cast<std::uint32_t>(array.first.size());
  for (std::uint32_t i = 0; i < std::min(array.min, first + 1); ++i) {
    height = std::max(height, grammar.nodes[Grammar::at(array, i)].height);
  }
  return height >= kMaxLevels ? kNever : height + 1;
}

std::uint32_t node_height(const Grammar& grammar, const Node& node) {
  std::uint32_t height = node.scalar != Dfa::kDead || !node.texts.empty() ? 0 : kNever;
  for (const std::uint32_t id : node.objects) height = std::min(height, grammar.objects[id].height);
  for (const std::uint32_t id : node.arrays) height = std::min(height, grammar.arrays[id].height);
  for (const CallRule& call : node.calls) height = std::min(height, grammar.objects[call.object].height);
  return height;
}

}  // namespace

// Finds the shortest end with enough items and enough wanted ones: a longer one only has more that have to be wanted
// since they can't be others.
bool Grammar::can_end(const ArrayRule& array, std::uint32_t count, std::uint32_t wanted, std::uint32_t levels) const {
  const auto fits = [&](NodeId node) { return nodes[node].height != kNever && nodes[node].height <= levels; };
  std::uint64_t at = count, most = wanted, least = wanted;
  while (at < array.min || most < array.wanted.min) {
    if (at >= array.max) return false;
    const auto index = static_cast<std::uint32_t>(at);
    const bool can_be = fits(Grammar::at(array.wanted, index));
    const bool has_to = !fits(Grammar::at(array, index));
    if (has_to && !can_be) return false;
    std::uint64_t steps = 1;
    if (at >= array.first.size()) {  // all alike from here on
      const std::uint64_t items = at < array.min ? array.min - at : 0;
      const std::uint64_t missing = most < array.wanted.min ? array.wanted.min - most : 0;
      if (missing > 0 && !can_be) return false;
      steps = std::min<std::uint64_t>(std::max(items, missing), array.max - at);
    }
    at += steps;
    if (can_be) most += steps;
    if (has_to) least += steps;
  }
  return least <= array.wanted.max;
}

void Grammar::prune() {
  for (const Spelling& spelling : notation.spellings) {
    RegexPool& pool = dfa.pool();
    const RegexId quote = pool.byte(static_cast<unsigned char>(spelling.quote));
    text_states.push_back(dfa.start(pool.concat(spelling.any_text(pool), quote)));
  }
  for (bool changed = true; changed;) {
    changed = false;
    const auto set = [&changed](std::uint32_t& height, std::uint32_t value) {
      changed = changed || height != value;
      height = value;
    };
    for (ObjectRule& object : objects) set(object.height, object_height(*this, object));
    for (ArrayRule& array : arrays) set(array.height, array_height(*this, array));
    for (Node& node : nodes) set(node.height, node_height(*this, node));
  }
  for (Node& node : nodes) {
    std::erase_if(node.objects, [this](std::uint32_t id) { return objects[id].height == kNever; });
    std::erase_if(node.arrays, [this](std::uint32_t id) { return arrays[id].height == kNever; });
    std::erase_if(node.calls, [this](const CallRule& call) { return objects[call.object].height == kNever; });
  }
  for (ObjectRule& object : objects) {
    if (object.height == kNever) continue;
    const auto never = [this](const auto& rule) { return member_height(*this, rule) == kNever; };
    std::erase_if(object.properties, never);
    std::erase_if(object.rest, never);
    if (object.rest.empty()) object.rest_names = 0;
    object.required_from.assign(object.properties.size() + 1, 0);
    for (std::size_t i = object.properties.size(); i-- > 0;) {
      object.required_from[i] = object.required_from[i + 1] + (object.properties[i].required ? 1 : 0);
    }
  }
  for (ArrayRule& array : arrays) {
    if (array.height == kNever) continue;
    const auto first = static_cast<std::uint32_t>(array.first.size());
    for (std::uint32_t i = 0; i <= first; ++i) {
      const bool none =
          nodes[at(array, i)].height == kNever && (!array.wanted.any() || nodes[at(array.wanted, i)].height == kNever);
      if (none) array.max = std::min(array.max, i);
    }
  }
}

}  // namespace lfm::constrain
