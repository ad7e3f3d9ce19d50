// Objects and arrays that are open, and what may still come in them.
#include <algorithm>
#include <cstring>
#include <new>

#include "constrain/matcher.h"

namespace lfm::constrain {
namespace {

// A spelling's content as all spellings that mean the same have it.
std::string meaning(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' || text[i] == '\t') {
      out += text[i] == '\n' ? "\\n" : "\\t";
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      if (text[i] != '"' && text[i] != '\'') out += '\\';
      out += text[i];
    } else {
      out += text[i];
    }
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
      Frame{up, rule, false, depth, 0, 0, objects()[rule].required_from[0], 0, nullptr};
}

const Frame* Matcher::open_array(std::uint32_t rule, const Frame* up) {
  const std::uint32_t depth = (up == nullptr ? 0 : up->depth) + 1;
  return new (arena_.take(sizeof(Frame))) Frame{up, rule, true, depth, 0, 0, 0, 0, nullptr};
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
  if (order_ == Order::kAny) next->seen = new (arena_.take(sizeof(Seen))) Seen{frame->seen, property, {}};
  return next;
}

const Frame* Matcher::with_name(const Frame* frame, std::string_view name) {
  auto* next = new (arena_.take(sizeof(Frame))) Frame(*frame);
  ++next->count;
  ++next->seen_count;
  if (order_ == Order::kAsGiven) next->next = static_cast<std::uint32_t>(objects()[frame->rule].properties.size());
  next->seen = new (arena_.take(sizeof(Seen))) Seen{frame->seen, kNoLimit, kept(name)};
  return next;
}

// Another item that begins, or, with `keep`, the text of the one that has ended.
const Frame* Matcher::with_item(const Frame* frame, std::string_view text, bool keep) {
  auto* next = new (arena_.take(sizeof(Frame))) Frame(*frame);
  if (keep) {
    ++next->seen_count;
    next->seen = new (arena_.take(sizeof(Seen))) Seen{frame->seen, kNoLimit, kept(text)};
  } else {
    ++next->count;
  }
  return next;
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
  return frame->required_left == 0 && frame->count >= objects()[frame->rule].min;
}

// Whether so many members can follow that there are enough, if the next one is one of the properties from `first` on
// or of the rest, `taken` of which come with it.
bool Matcher::enough_left(const Frame* frame, std::uint32_t first, std::uint32_t taken) {
  const ObjectRule& rule = objects()[frame->rule];
  std::uint64_t count = std::uint64_t{frame->count} + taken;
  if (count >= rule.min) return true;
  for (const RestRule& rest : rule.rest) {
    if (!fits(frame, rest.node)) continue;
    if (rule.rest_names == Dfa::kMany) return true;
    count += rule.rest_names - std::min(rule.rest_names, frame->seen_count);
    break;
  }
  for (std::uint32_t i = first; i < rule.properties.size(); ++i) {
    if (!has_property(frame, i) && fits(frame, rule.properties[i].node)) ++count;
  }
  return count >= rule.min;
}

bool Matcher::may_add(const Frame* frame, std::uint32_t property) {
  const ObjectRule& rule = objects()[frame->rule];
  if (has_property(frame, property) || !fits(frame, rule.properties[property].node)) return false;
  const std::uint32_t required = frame->required_left - (rule.properties[property].required ? 1 : 0);
  if (std::uint64_t{frame->count} + 1 + required > rule.max) return false;
  if (frame->count + 1 >= rule.min) return true;
  return order_ == Order::kAny ? enough_left(frame, 0, 0) : enough_left(frame, property + 1, 1);
}

bool Matcher::may_add_rest(const Frame* frame, std::uint32_t index) {
  const ObjectRule& rule = objects()[frame->rule];
  const RestRule& rest = rule.rest[index];
  if (!fits(frame, rest.node)) return false;
  if (order_ == Order::kAsGiven && rule.required_from[frame->next] > 0) return false;
  if (std::uint64_t{frame->count} + 1 + frame->required_left > rule.max) return false;
  if (!rest.open && frame->seen_count > 0 && !can_be_new(frame, rest.names[0], {}, 0)) return false;
  return enough_left(frame, order_ == Order::kAny ? 0 : static_cast<std::uint32_t>(rule.properties.size()), 0);
}

// Whether another member or item can follow the one that has ended.
bool Matcher::may_go_on(const Frame* frame) {
  if (frame->is_array) {
    const ArrayRule& rule = arrays()[frame->rule];
    if (frame->count >= rule.max) return false;
    const NodeId node = grammar_.at(rule, frame->count);
    if (!fits(frame, node)) return false;
    if (!rule.unique || !grammar_.nodes[node].texts.empty()) return true;
    return can_be_new(frame, grammar_.nodes[node].scalar, {}, 0);
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

bool Matcher::is_new(const Frame* frame, std::string_view text, std::uint8_t) const {
  const bool plain = grammar_.notation.spellings.size() == 1;
  const std::string wanted = plain ? std::string() : meaning(text);
  for (const Seen* seen = frame->seen; seen != nullptr; seen = seen->up) {
    if (seen->property != kNoLimit) continue;
    if (plain ? seen->text == text : meaning(seen->text) == wanted) return false;
  }
  return true;
}

// Whether something that goes on like this can end as something that hasn't come before.
bool Matcher::can_be_new(const Frame* frame, Dfa::State state, std::string_view text, std::uint8_t) {
  if (frame->seen_count == 0) return true;
  const std::uint32_t left = grammar_.dfa.matches_left(state);
  if (left > frame->seen_count) return true;
  std::uint32_t taken = 0;
  for (const Seen* seen = frame->seen; seen != nullptr; seen = seen->up) {
    if (seen->property != kNoLimit || !seen->text.starts_with(text)) continue;
    Dfa::State at = state;
    for (const char c : seen->text.substr(text.size())) at = grammar_.dfa.next(at, static_cast<std::uint8_t>(c));
    // Names are kept without the quote that ends them.
    if (!frame->is_array) at = grammar_.dfa.next(at, static_cast<std::uint8_t>(grammar_.notation.spellings[0].quote));
    taken += grammar_.dfa.accepts(at) ? 1 : 0;
  }
  return left > taken;
}

}  // namespace lfm::constrain
