// What a byte does to a thread.
#include <algorithm>

#include "constrain/match/matcher.h"

namespace lfm::constrain {
namespace {

constexpr std::size_t kMaxThreads = 2'000;

using At = Thread::At;

}  // namespace

void Matcher::push(Threads& out, const Thread& thread) {
  if (std::find(out.begin(), out.end(), thread) != out.end()) return;
  if (out.size() >= kMaxThreads) {
    failed_ = true;
    return;
  }
  out.push_back(thread);
}

void Matcher::step_all(const Threads& from, std::uint8_t byte, Threads& out) {
  for (const Thread& thread : from) step(thread, byte, out);
}

void Matcher::step(const Thread& t, std::uint8_t byte, Threads& out) {
  switch (t.at) {
    case At::kValue:
      return step_value(t, byte, out);
    case At::kScalar: {
      Dfa& dfa = grammar_.dfa;
      if (dfa.accepts(t.x)) {
        const std::string_view text = text_from(t.begin);
        if (!is_unique(t.frame)) {
          step_end(t.frame, byte, out);
        } else if (is_new(t.frame, text, t.spelling)) {
          step_end(with_text(t.frame, text), byte, out);
        }
      }
      Thread next = t;
      next.x = dfa.next(t.x, byte);
      if (next.x == Dfa::kDead) return;
      if (is_unique(t.frame)) {
        const std::string text = std::string(text_from(t.begin)) + static_cast<char>(byte);
        if (!can_be_new(t.frame, next.x, text, t.spelling)) return;
      }
      return push(out, next);
    }
    case At::kText: {
      const Dfa::State within = grammar_.text_states[t.spelling];
      Thread next = t;
      next.x = grammar_.dfa.next(t.x, byte);
      if (next.x == Dfa::kDead) return;
      if (t.x == within) {
        if (byte == static_cast<std::uint8_t>(grammar_.notation.spellings[t.spelling].quote)) {
          if (t.y > 0) return;
          if (!is_unique(t.frame)) return push(out, after(t.frame));
          const std::string text = std::string(text_from(t.begin)) + static_cast<char>(byte);
          if (is_new(t.frame, text, t.spelling)) push(out, after(with_text(t.frame, text)));
          return;
        }
        if (t.z == 0) return;
        if (t.y > 0) --next.y;
        if (t.z != kNoLimit) --next.z;
      }
      if (next.z == 0 && next.x == within && is_unique(t.frame)) {  // only the quote can follow
        const std::string text = std::string(text_from(t.begin)) + static_cast<char>(byte);
        if (!is_new(t.frame, text + grammar_.notation.spellings[t.spelling].quote, t.spelling)) return;
      }
      return push(out, next);
    }
    case At::kOpenObject: {
      const bool arguments = objects()[t.frame->rule].arguments;
      if (byte == (arguments ? ')' : '}')) {
        if (may_close(t.frame)) push(out, after(t.frame->up));
        return;
      }
      return step_name(t, byte, out);
    }
    case At::kName:
      return step_name(t, byte, out);
    case At::kKnownName: {
      const ObjectRule& rule = objects()[t.frame->rule];
      const PropertyRule& property = rule.properties[t.x];
      const std::string& name = rule.arguments ? property.name : property.spelt[t.spelling];
      Thread next = t;
      if (t.y < name.size()) {
        if (static_cast<std::uint8_t>(name[t.y]) != byte) return;
        ++next.y;
        return push(out, next);
      }
      const char end = rule.arguments ? '=' : grammar_.notation.spellings[t.spelling].quote;
      if (static_cast<char>(byte) != end) return;
      return begin_value(out, rule.arguments ? At::kValue : At::kColon, with_property(t.frame, t.x), property.node,
                         property.wanted);
    }
    case At::kRestName: {
      Thread next = t;
      next.x = grammar_.dfa.next(t.x, byte);
      if (next.x == Dfa::kDead) return;
      const RestRule& rest = objects()[t.frame->rule].rest[t.y];
      const bool ends = grammar_.dfa.accepts(next.x);
      if (t.frame->seen != nullptr && (ends || !rest.open)) {
        std::string text(text_from(t.begin));
        if (!ends) text += static_cast<char>(byte);
        if (ends ? !is_new(t.frame, text, t.spelling) : !can_be_new(t.frame, next.x, text, t.spelling)) return;
      }
      if (!ends) return push(out, next);
      return begin_value(out, At::kColon, with_name(t.frame, text_from(t.begin), t.spelling), rest.node, rest.wanted);
    }
    case At::kColon:
      if (byte == ':') push(out, {.at = At::kColonSpace, .x = t.x, .frame = t.frame});
      return;
    case At::kColonSpace:
      if (byte == ' ') push(out, {.at = At::kValue, .x = t.x, .frame = t.frame});
      return;
    case At::kMemberEnd:
    case At::kItemEnd:
      return step_end(t.frame, byte, out);
    case At::kNameSpace:
      if (byte == ' ') push(out, {.at = At::kName, .frame = t.frame});
      return;
    case At::kOpenArray:
      if (byte == ']') {
        if (may_end(t.frame)) push(out, after(t.frame->up));
        return;
      }
      return step_all(next_items(t.frame), byte, out);
    case At::kItemSpace:
      if (byte != ' ') return;
      for (const Thread& item : next_items(t.frame)) push(out, item);
      return;
    case At::kCallName: {
      const CallRule& call = grammar_.nodes[t.x].calls[t.y];
      Thread next = t;
      if (t.z < call.name.size()) {
        if (static_cast<std::uint8_t>(call.name[t.z]) != byte) return;
        ++next.z;
        return push(out, next);
      }
      if (byte != '(') return;
      return push(out, {.at = At::kOpenObject, .frame = open_object(call.object, t.frame)});
    }
    case At::kEnd:
      return;
  }
}

void Matcher::step_value(const Thread& t, std::uint8_t byte, Threads& out) {
  const Node& node = grammar_.nodes[t.x];
  const auto begin = static_cast<std::uint32_t>(dropped_ + text_.size());
  if (byte == '{') {
    for (const std::uint32_t id : node.objects) {
      const std::uint32_t depth = t.frame == nullptr ? 0 : t.frame->depth;
      if (depth + objects()[id].height > kMaxLevels) continue;
      push(out, {.at = At::kOpenObject, .frame = open_object(id, t.frame)});
    }
  }
  if (byte == '[') {
    for (const std::uint32_t id : node.arrays) {
      const std::uint32_t depth = t.frame == nullptr ? 0 : t.frame->depth;
      if (depth + arrays()[id].height > kMaxLevels) continue;
      push(out, {.at = At::kOpenArray, .frame = open_array(id, t.frame)});
    }
  }
  for (std::uint32_t call = 0; call < node.calls.size(); ++call) {
    step({.at = At::kCallName, .x = t.x, .y = call, .frame = t.frame}, byte, out);
  }
  for (const TextRule& text : node.texts) {
    if (byte != static_cast<std::uint8_t>(grammar_.notation.spellings[text.spelling].quote)) continue;
    push(out, {.at = At::kText,
               .spelling = text.spelling,
               .x = grammar_.text_states[text.spelling],
               .y = text.min,
               .z = text.max,
               .begin = begin,
               .frame = t.frame});
  }
  if (node.scalar == Dfa::kDead) return;
  const Dfa::State state = grammar_.dfa.next(node.scalar, byte);
  if (state == Dfa::kDead) return;
  if (is_unique(t.frame)) {
    const char first = static_cast<char>(byte);
    if (!can_be_new(t.frame, state, {&first, 1}, 0)) return;
  }
  push(out, {.at = At::kScalar, .x = state, .begin = begin, .frame = t.frame});
}

// Where a member begins: with a quote, or as an argument's name.
void Matcher::step_name(const Thread& t, std::uint8_t byte, Threads& out) {
  const ObjectRule& rule = objects()[t.frame->rule];
  const auto properties = static_cast<std::uint32_t>(rule.properties.size());
  const std::uint32_t first = order_ == Order::kAny ? 0 : t.frame->next;
  const auto known = [&](std::uint8_t spelling, bool quoted) {
    for (std::uint32_t i = first; i < properties; ++i) {
      if (may_add(t.frame, i)) {
        const Thread name = {.at = At::kKnownName, .spelling = spelling, .x = i, .frame = t.frame};
        quoted ? push(out, name) : step(name, byte, out);
      }
      if (order_ == Order::kAsGiven && rule.properties[i].required) return;
    }
  };
  if (rule.arguments) return known(0, false);
  for (std::uint8_t s = 0; s < grammar_.notation.spellings.size(); ++s) {
    if (byte != static_cast<std::uint8_t>(grammar_.notation.spellings[s].quote)) continue;
    known(s, true);
    for (std::uint32_t i = 0; i < rule.rest.size(); ++i) {
      if (rule.rest[i].names[s] == Dfa::kDead || !may_add_rest(t.frame, i)) continue;
      push(out, {.at = At::kRestName,
                 .spelling = s,
                 .x = rule.rest[i].names[s],
                 .y = i,
                 .begin = static_cast<std::uint32_t>(dropped_ + text_.size() + 1),
                 .frame = t.frame});
    }
  }
}

// Behind a value: what the object or array around it goes on with.
void Matcher::step_end(const Frame* frame, std::uint8_t byte, Threads& out) {
  if (frame == nullptr) return;
  if (frame->is_array) {
    if (byte == ']' && may_end(frame)) push(out, after(frame->up));
    if (byte == ',' && may_go_on(frame)) push(out, {.at = At::kItemSpace, .frame = frame});
    return;
  }
  if (byte == (objects()[frame->rule].arguments ? ')' : '}') && may_close(frame)) push(out, after(frame->up));
  if (byte == ',' && may_go_on(frame)) push(out, {.at = At::kNameSpace, .frame = frame});
}

}  // namespace lfm::constrain
