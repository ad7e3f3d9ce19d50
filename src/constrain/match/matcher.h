// Follows a text through a grammar: which tokens may come next, and what a token that has come leaves open.
//
// The matcher is a set of threads. Each stands at one place of the grammar (within a string, behind a member, ...)
// under a stack of frames, one for every object and array that is open; threads share the frames below. A byte moves
// every thread to the places that it leads to, or ends it. Most texts need one thread; alternatives that begin alike
// need more until they differ.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "constrain/match/grammar.h"
#include "constrain/match/lexeme_masks.h"
#include "constrain/match/token_trie.h"
#include "lfm/result.h"

namespace lfm::constrain {

enum class Order : std::uint8_t {
  kAsGiven,  // members in the order of the schema, and then others
  kAny,
};

// A name or an item that may not come again.
struct Seen {
  const Seen* up;
  std::uint32_t property;  // or kNoLimit and its text
  std::uint8_t spelling;
  std::string_view text;
};

// An object or an array that is open.
struct Frame {
  const Frame* up;
  std::uint32_t rule;
  bool is_array;
  bool met;  // the member that there must be, if any, is there
  std::uint32_t depth;
  std::uint32_t count;          // members, or items begun
  std::uint32_t next;           // property that may come next; of an array: wanted items that have begun
  std::uint32_t required_left;  // properties that have to come
  std::uint32_t seen_count;
  const Seen* seen;
};

struct Thread {
  enum class At : std::uint8_t {
    kValue,       // x: node
    kScalar,      // x: state of the DFA
    kText,        // x: state, y: characters at least, z: at most
    kOpenObject,  // behind the bracket
    kName,        // where a member begins
    kKnownName,   // x: property, y: bytes of its name
    kRestName,    // x: state, y: rule of the rest
    kColon,       // x: node
    kColonSpace,  // x: node
    kMemberEnd,
    kNameSpace,
    kOpenArray,
    kItemEnd,
    kItemSpace,
    kCallName,  // x: node, y: call, z: bytes of its name
    kEnd,
  };

  At at;
  std::uint8_t spelling = 0;
  std::uint32_t x = 0, y = 0, z = 0;
  std::uint32_t begin = 0;  // in the text, of the name or scalar
  const Frame* frame = nullptr;

  bool operator==(const Thread& other) const noexcept {  // what differs mostly first
    return frame == other.frame && x == other.x && at == other.at && y == other.y && z == other.z &&
           begin == other.begin && spelling == other.spelling;
  }
};
using Threads = std::vector<Thread>;

// Memory that is given back in the order in which it was taken.
class Arena {
 public:
  struct Mark {
    std::size_t block, used;
  };
  Mark mark() const noexcept { return {block_, used_}; }
  void release(const Mark& mark) noexcept {
    block_ = mark.block;
    used_ = mark.used;
  }
  void* take(std::size_t bytes);

 private:
  static constexpr std::size_t kBlock = std::size_t{1} << 14;
  std::vector<std::pair<std::unique_ptr<std::byte[]>, std::size_t>> blocks_;
  std::size_t block_ = 0, used_ = 0;
};

class Matcher {
 public:
  // Both have to outlive the matcher, which locks the grammar while it works. Without a trie it matches bytes only.
  Matcher(Grammar& grammar, LexemeMasks* masks, const TokenTrie* trie, Order order = Order::kAsGiven);

  // The tokens with which the text can go on, those that end a generation not among them. kLimit
  Status mask(TokenMask& out);

  // Whether the text, with these bytes behind it, still is the beginning of one that is allowed. If not, the matcher is
  // as it was, and `matched` says how many of the bytes could be taken.
  Result<bool> accept(std::string_view bytes, std::size_t* matched = nullptr);

  bool is_complete();            // the text may end here
  Result<std::string> forced();  // the bytes that have to come next, as far as there is no choice

 private:
  class Walk;
  friend class Walk;

  // step.cc: appends where a thread gets to by a byte.
  void step(const Thread& thread, std::uint8_t byte, Threads& out);
  void step_all(const Threads& from, std::uint8_t byte, Threads& out);
  void step_value(const Thread& thread, std::uint8_t byte, Threads& out);
  void step_name(const Thread& thread, std::uint8_t byte, Threads& out);
  void step_end(const Frame* frame, std::uint8_t byte, Threads& out);
  void push(Threads& out, const Thread& thread);

  // frames.cc
  Thread after(const Frame* frame) const;
  const Frame* open_object(std::uint32_t rule, const Frame* up);
  const Frame* open_array(std::uint32_t rule, const Frame* up);
  const Frame* with_property(const Frame* frame, std::uint32_t property);
  void begin_value(Threads& out, Thread::At at, const Frame* frame, NodeId node, std::optional<NodeId> wanted);
  bool can_be_met(const Frame* frame, std::uint32_t first);
  const Frame* with_name(const Frame* frame, std::string_view name, std::uint8_t spelling);
  const Frame* with_item(const Frame* frame, bool wanted);
  const Frame* with_text(const Frame* frame, std::string_view text);
  Threads next_items(const Frame* frame);
  bool may_end(const Frame* frame) const;
  bool fits(const Frame* frame, NodeId node) const;
  template <typename Member>
  bool fits(const Frame* frame, const Member& member) const {
    return fits(frame, member.node) || (member.wanted && fits(frame, *member.wanted));
  }
  bool may_close(const Frame* frame) const;
  bool may_go_on(const Frame* frame);
  bool may_add(const Frame* frame, std::uint32_t property);
  bool may_add_rest(const Frame* frame, std::uint32_t rest);
  bool enough_left(const Frame* frame, std::uint32_t first, std::uint32_t taken);
  bool has_property(const Frame* frame, std::uint32_t property) const;
  std::string spelt(const Seen& seen, std::uint8_t spelling) const;
  bool is_new(const Frame* frame, std::string_view text, std::uint8_t spelling) const;
  bool can_be_new(const Frame* frame, Dfa::State state, std::string_view text, std::uint8_t spelling);
  std::string_view kept(std::string_view text);
  bool is_unique(const Frame* frame) const {
    return frame != nullptr && frame->is_array && arrays()[frame->rule].unique;
  }
  std::string_view text_from(std::uint32_t begin) const { return std::string_view(text_).substr(begin - dropped_); }

  const std::vector<ObjectRule>& objects() const noexcept { return grammar_.objects; }
  const std::vector<ArrayRule>& arrays() const noexcept { return grammar_.arrays; }
  Status failure() const;

  Grammar& grammar_;
  LexemeMasks* masks_;
  const TokenTrie* trie_;
  Order order_;
  Threads threads_;
  std::string text_;           // from the first name or scalar that is open
  std::uint32_t dropped_ = 0;  // bytes of text before it
  Arena arena_;
  bool failed_ = false;
};

}  // namespace lfm::constrain
