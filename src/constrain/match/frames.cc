// Objects and arrays that are open, and what may still come in them.
#include <algorithm>
#include <cstring>
#include <new>

#include "constrain/match/matcher.h"

namespace lfm::constrain {
namespace {

// A text in another quote's spelling.
std::string requoted(std::string_view text, char from, char to) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      if (text[++i] != from) out += '\\';
    } else if (text[i] == to) {
      out += '\\';
    }
    out += text[i];
  }
  return out;
}

}  // namespace

void* Arena::take(std::size_t bytes) {
  bytes = (bytes + 15) / 16 * 16;
  while (block_ < blocks_.size() && used_ + bytes > blocks_[block_].second) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const std::size_t size = std::max(kBlock, bytes);
    blocks_.emplace_back(std::make_unique<std::byte[]>(size), size);
    used_ = 0;
  }
  void* place = blocks_[block_].first.get() + used_;
  used_ += bytes;
  return place;
}

Thread Matcher::after(const Frame* frame) const {
  if (frame == nullptr) return {.at = Thread::At::kEnd};
  return {.at = frame->is_array ? Thread::At::kItemEnd : Thread::At::kMemberEnd, .frame = frame};
}

const Frame* Matcher::open_object(std::uint32_t rule, const Frame* up) {
  const std::uint32_t depth = (up == nullptr ? 0 : up->depth) + 1;
  return new (arena_.take(sizeof(Frame)))
      Frame{up, rule, false, !objects()[rule].wants, depth, 0, 0, objects()[rule].required_from[0], 0, nullptr};
}

const Frame* Matcher::open_array(std::uint32_t rule, const Frame* up) {
  const std::uint32_t depth = (up == nullptr ? 0 : up->depth) + 1;
  return new (arena_.take(sizeof(Frame))) Frame{up, rule, true, true, depth, 0, 0, 0, 0, nullptr};
}

std::string_view Matcher::kept(std::string_view text) {
  if (text.empty()) return {};
  char* bytes = static_cast<char*>(arena_.take(text.size()));
  std::memcpy(bytes, text.data(), text.size());
  return {bytes, text.size()};
}

const Frame* Matcher::with_property(const Frame* frame, std::uint32_t property) {
  auto* next = new (arena_.take(sizeof(Frame))) Frame(*frame);
  ++next->count;
  next->next = property + 1;
  if (objects()[frame->rule].properties[property].required) --next->required_left;
  if (order_ == Order::kAny) next->seen = new (arena_.take(sizeof(Seen))) Seen{frame->seen, property, 0, {}};
  return next;
}

const Frame* Matcher::with_name(const Frame* frame, std::string_view name, std::uint8_t spelling) {
  auto* next = new (arena_.take(sizeof(Frame))) Frame(*frame);
  ++next->count;
  ++next->seen_count;
  if (order_ == Order::kAsGiven) next->next = static_cast<std::uint32_t>(objects()[frame->rule].properties.size());
  next->seen = new (arena_.take(sizeof(Seen))) Seen{frame->seen, kNoLimit, spelling, kept(name)};
  return next;
}

// Another item that begins.
const Frame* Matcher::with_item(const Frame* frame, bool wanted) {
  auto* next = new (arena_.take(sizeof(Frame))) Frame(*frame);
  ++next->count;
  if (wanted) ++next->next;
  return next;
}

// The text of an item that has ended.
const Frame* Matcher::with_text(const Frame* frame, std::string_view text) {
  auto* next = new (arena_.take(sizeof(Frame))) Frame(*frame);
  ++next->seen_count;
  next->seen = new (arena_.take(sizeof(Seen))) Seen{frame->seen, kNoLimit, 0, kept(text)};
  return next;
}

// Where an item may begin, and what it may be.
Threads Matcher::next_items(const Frame* frame) {
  Threads all;
  const ArrayRule& rule = arrays()[frame->rule];
  if (frame->count >= rule.max) return all;
  const auto add = [&](NodeId node, bool wanted) {
    if (!fits(frame, node)) return;
    if (rule.wanted.any()) {
      const std::uint32_t count = frame->next + (wanted ? 1 : 0);
      if (count > rule.wanted.max) return;
      if (!grammar_.can_end(rule, frame->count + 1, count, kMaxLevels - frame->depth)) return;
    }
    all.push_back({.at = Thread::At::kValue, .x = node, .frame = with_item(frame, wanted)});
  };
  add(Grammar::at(rule, frame->count), false);
  if (rule.wanted.any()) add(Grammar::at(rule.wanted, frame->count), true);
  return all;
}

bool Matcher::may_end(const Frame* frame) const {
  const ArrayRule& rule = arrays()[frame->rule];
  return frame->count >= rule.min && frame->next >= rule.wanted.min;
}

bool Matcher::fits(const Frame* frame, NodeId node) const {
  const std::uint32_t height = grammar_.nodes[node].height;
  return height != kNever && frame->depth + height <= kMaxLevels;
}

bool Matcher::has_property(const Frame* frame, std::uint32_t property) const {
  if (order_ == Order::kAsGiven) return property < frame->next;
  for (const Seen* seen = frame->seen; seen != nullptr; seen = seen->up)
    if (seen->property == property) return true;
  return false;
}

bool Matcher::may_close(const Frame* frame) const {
  return frame->required_left == 0 && frame->count >= objects()[frame->rule].min && frame->met;
}

// Behind a member's name. The frame is that with the member; without a value that is wanted another member has to be.
void Matcher::begin_value(Threads& out, Thread::At at, const Frame* frame, NodeId node, std::optional<NodeId> wanted) {
  if (wanted && fits(frame, *wanted)) {
    auto* met = new (arena_.take(sizeof(Frame))) Frame(*frame);
    met->met = true;
    push(out, {.at = at, .x = *wanted, .frame = met});
  }
  if (!fits(frame, node) || (!frame->met && !can_be_met(frame, frame->next))) return;
  push(out, {.at = at, .x = node, .frame = frame});
}

// Whether the member that there must be can be a property from `first` on, or one of the rest.
bool Matcher::can_be_met(const Frame* frame, std::uint32_t first) {
  const ObjectRule& rule = objects()[frame->rule];
  for (std::uint32_t i = order_ == Order::kAny ? 0 : first; i < rule.properties.size(); ++i) {
    const auto& wanted = rule.properties[i].wanted;
    if (wanted && fits(frame, *wanted) && !has_property(frame, i)) return true;
  }
  return std::any_of(rule.rest.begin(), rule.rest.end(), [&](const RestRule& rest) {
    return rest.wanted && fits(frame, *rest.wanted) && can_be_new(frame, rest.names[0], {}, 0);
  });
}

// Whether so many members can follow that there are enough, if the next one is one of the properties from `first` on
// or of the rest, `taken` of which come with it.
bool Matcher::enough_left(const Frame* frame, std::uint32_t first, std::uint32_t taken) {
  const ObjectRule& rule = objects()[frame->rule];
  std::uint64_t count = std::uint64_t{frame->count} + taken;
  if (count >= rule.min) return true;
  for (const RestRule& rest : rule.rest) {
    if (!fits(frame, rest)) continue;
    if (rule.rest_names == Dfa::kMany) return true;
    count += rule.rest_names - std::min(rule.rest_names, frame->seen_count);
    break;
  }
  for (std::uint32_t i = first; i < rule.properties.size(); ++i) {
    if (!has_property(frame, i) && fits(frame, rule.properties[i])) ++count;
  }
  return count >= rule.min;
}

bool Matcher::may_add(const Frame* frame, std::uint32_t property) {
  const ObjectRule& rule = objects()[frame->rule];
  if (has_property(frame, property) || !fits(frame, rule.properties[property])) return false;
  const auto& wanted = rule.properties[property].wanted;
  if (!frame->met && !(wanted && fits(frame, *wanted)) && !can_be_met(frame, property + 1)) return false;
  const std::uint32_t required = frame->required_left - (rule.properties[property].required ? 1 : 0);
  if (std::uint64_t{frame->count} + 1 + required > rule.max) return false;
  if (frame->count + 1 >= rule.min) return true;
  return order_ == Order::kAny ? enough_left(frame, 0, 0) : enough_left(frame, property + 1, 1);
}

bool Matcher::may_add_rest(const Frame* frame, std::uint32_t index) {
  const ObjectRule& rule = objects()[frame->rule];
  const RestRule& rest = rule.rest[index];
  if (!fits(frame, rest)) return false;
  if (!frame->met && !(rest.wanted && fits(frame, *rest.wanted)) &&
      !can_be_met(frame, static_cast<std::uint32_t>(rule.properties.size()))) {
    return false;
  }
  if (order_ == Order::kAsGiven && rule.required_from[frame->next] > 0) return false;
  if (std::uint64_t{frame->count} + 1 + frame->required_left > rule.max) return false;
  if (!rest.open && frame->seen_count > 0 && !can_be_new(frame, rest.names[0], {}, 0)) return false;
  return enough_left(frame, order_ == Order::kAny ? 0 : static_cast<std::uint32_t>(rule.properties.size()), 0);
}

// Whether another member or item can follow the one that has ended.
bool Matcher::may_go_on(const Frame* frame) {
  if (frame->is_array) {
    const Arena::Mark mark = arena_.mark();
    const Threads items = next_items(frame);
    arena_.release(mark);
    if (items.empty()) return false;
    const Node& node = grammar_.nodes[items[0].x];
    if (!arrays()[frame->rule].unique || !node.texts.empty()) return true;
    return can_be_new(frame, node.scalar, {}, 0);
  }
  const ObjectRule& rule = objects()[frame->rule];
  for (std::uint32_t i = order_ == Order::kAny ? 0 : frame->next; i < rule.properties.size(); ++i) {
    if (may_add(frame, i)) return true;
    if (order_ == Order::kAsGiven && rule.properties[i].required) return false;
  }
  for (std::uint32_t i = 0; i < rule.rest.size(); ++i)
    if (may_add_rest(frame, i)) return true;
  return false;
}

std::string Matcher::spelt(const Seen& seen, std::uint8_t spelling) const {
  if (seen.spelling == spelling) return std::string(seen.text);
  const auto& spellings = grammar_.notation.spellings;
  return requoted(seen.text, spellings[seen.spelling].quote, spellings[spelling].quote);
}

bool Matcher::is_new(const Frame* frame, std::string_view text, std::uint8_t spelling) const {
  for (const Seen* seen = frame->seen; seen != nullptr; seen = seen->up) {
    if (seen->property != kNoLimit) continue;
    if (seen->spelling == spelling ? seen->text == text : spelt(*seen, spelling) == text) return false;
  }
  return true;
}

// Whether something that goes on like this can end as something that hasn't come before.
bool Matcher::can_be_new(const Frame* frame, Dfa::State state, std::string_view text, std::uint8_t spelling) {
  if (frame->seen_count == 0) return true;
  const std::uint32_t left = grammar_.dfa.matches_left(state);
  if (left > frame->seen_count) return true;
  std::uint32_t taken = 0;
  for (const Seen* seen = frame->seen; seen != nullptr; seen = seen->up) {
    if (seen->property != kNoLimit) continue;
    std::string whole = spelt(*seen, spelling);
    if (!whole.starts_with(text)) continue;
    if (!frame->is_array) whole += grammar_.notation.spellings[spelling].quote;  // which names are kept without
    Dfa::State at = state;
    for (const char c : std::string_view(whole).substr(text.size())) {
      at = grammar_.dfa.next(at, static_cast<std::uint8_t>(c));
    }
    taken += grammar_.dfa.accepts(at) ? 1 : 0;
  }
  return left > taken;
}

}  // namespace lfm::constrain
