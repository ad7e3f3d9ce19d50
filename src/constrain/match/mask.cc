// Which tokens may come next.
#include <algorithm>

#include "base/try.h"
#include "constrain/match/matcher.h"

namespace lfm::constrain {

using At = Thread::At;

// Goes down the tree of tokens with the threads that get there.
class Matcher::Walk {
 public:
  Walk(Matcher& matcher, TokenMask& out) : m_(matcher), trie_(*matcher.trie_), out_(out) {}

  void run() {
    Threads rest;
    for (const Thread& thread : m_.threads_) {
      if (!take_lexeme(thread)) rest.push_back(thread);
    }
    if (!rest.empty()) children(TokenTrie::kRoot, rest);
  }

 private:
  // Everything below a node to which threads have come.
  void children(TokenTrie::NodeIndex node, const Threads& threads) {
    for (TokenTrie::NodeIndex child = node + 1; child < trie_.at(node).end; child = trie_.at(child).end) {
      down(child, threads);
    }
  }

  void down(TokenTrie::NodeIndex child, const Threads& threads) {
    const TokenTrie::Node& at = trie_.at(child);
    const Arena::Mark mark = m_.arena_.mark();
    if (depth_ == levels_.size()) levels_.emplace_back();
    Threads& next = levels_[depth_];
    next.clear();
    m_.step_all(threads, at.byte, next);
    if (!next.empty() && !m_.failed_) {
      if (at.token >= 0) out_.set(at.token);
      if (at.has_children) {
        m_.text_ += static_cast<char>(at.byte);
        ++depth_;
        children(child, next);
        --depth_;
        m_.text_.pop_back();
      }
    }
    m_.arena_.release(mark);
  }

  // Scalars and names, whose masks are there already. False: the tree has to be walked.
  bool take_lexeme(const Thread& thread) {
    if (m_.masks_ == nullptr) return false;
    const bool text = thread.at == At::kText;
    const bool within = text && thread.x == m_.grammar_.text_states[thread.spelling];
    if (text && !within && (thread.y > 0 || thread.z != kNoLimit)) return false;
    if (!text && thread.at != At::kScalar && thread.at != At::kRestName) return false;

    const Frame* const frame = thread.frame;
    const bool looks_back =
        frame != nullptr && frame->seen != nullptr && (thread.at == At::kRestName || m_.is_unique(frame));
    if (!looks_back) {
      within ? take_text(thread, out_) : take_scalar(thread, out_);
      return true;
    }
    TokenMask own(trie_.tokens());
    within ? take_text(thread, own) : take_scalar(thread, own);
    for (const Seen* seen = frame->seen; seen != nullptr; seen = seen->up) {
      if (seen->property == kNoLimit) take_out(thread, m_.spelt(*seen, thread.spelling), own);
    }
    out_.add(own);
    return true;
  }

  void take_scalar(const Thread& thread, TokenMask& out) {
    if (thread.at == At::kScalar && m_.grammar_.dfa.accepts(thread.x)) {
      const std::string_view text = m_.text_from(thread.begin);
      if (!m_.is_unique(thread.frame)) {
        children(TokenTrie::kRoot, {m_.after(thread.frame)});
      } else if (m_.is_new(thread.frame, text, thread.spelling)) {
        children(TokenTrie::kRoot, {m_.after(m_.with_text(thread.frame, text))});
      }
    }
    const LexemeMask& mask = m_.masks_->of(thread.x);
    out.add(mask.within);
    for (const auto& group : mask.exits) leave(thread, group, [](const TokenTrie::Exit&) { return true; });
  }

  void take_text(const Thread& thread, TokenMask& out) {
    const TokenTrie::Text& text = trie_.text(m_.grammar_.notation.spellings[thread.spelling]);
    text.add_at_most(thread.z, out);
    const auto length_is_right = [&thread](std::uint32_t chars) { return chars >= thread.y && chars <= thread.z; };
    for (const auto& [token, chars] : text.closing) {
      if (length_is_right(chars)) out.set(token);
    }
    for (const auto& group : text.exits) {
      leave(thread, group, [&](const TokenTrie::Exit& exit) { return length_is_right(exit.chars); });
    }
  }

  // Takes out of a mask what would make a name or an item the one that has come before, or one that can end as none but
  // such. All of those are on the way to one that has come.
  void take_out(const Thread& thread, std::string_view seen, TokenMask& mask) {
    std::string text(m_.text_from(thread.begin));
    if (!seen.starts_with(text)) return;
    const bool name = thread.at == At::kRestName;
    const bool counted = thread.at == At::kText && thread.z != kNoLimit;
    const Dfa::State within = m_.grammar_.text_states[thread.spelling];
    std::uint32_t left = thread.z;
    Dfa::State state = thread.x;
    TokenTrie::NodeIndex node = TokenTrie::kRoot;
    for (const char c : seen.substr(text.size())) {
      node = trie_.child(node, static_cast<std::uint8_t>(c));
      if (node == TokenTrie::kRoot) return;
      if (counted && state == within) --left;
      state = m_.grammar_.dfa.next(state, static_cast<std::uint8_t>(c));
      text += c;
      const bool ends_here = counted && left == 0 && state == within && text.size() + 1 == seen.size();
      if (!ends_here && m_.can_be_new(thread.frame, state, text, thread.spelling)) continue;
      for (TokenTrie::NodeIndex i = node; i < trie_.at(node).end; ++i)
        if (trie_.at(i).token >= 0) mask.clear(trie_.at(i).token);
      return;
    }
    if (!name) return;
    const char quote = m_.grammar_.notation.spellings[thread.spelling].quote;
    node = trie_.child(node, static_cast<std::uint8_t>(quote));
    if (node != TokenTrie::kRoot && trie_.at(node).token >= 0) mask.clear(trie_.at(node).token);
  }

  // Tokens that go on behind the scalar or name: all exits of a group begin with the same byte.
  template <typename Counts>
  void leave(const Thread& thread, const std::vector<TokenTrie::Exit>& group, const Counts& counts) {
    if (group.empty()) return;
    const Arena::Mark mark = m_.arena_.mark();
    const bool remembers = thread.at == At::kRestName || m_.is_unique(thread.frame);
    Threads from, next;
    const auto arrive = [&](std::string_view written) {
      const std::size_t size = m_.text_.size();
      m_.text_ += written;
      from.clear();
      next.clear();
      if (thread.at == At::kRestName) {
        const std::string_view name = m_.text_from(thread.begin);
        if (m_.is_new(thread.frame, name.substr(0, name.size() - 1), thread.spelling)) {
          const RestRule& rest = m_.objects()[thread.frame->rule].rest[thread.y];
          const Frame* frame = m_.with_name(thread.frame, name.substr(0, name.size() - 1), thread.spelling);
          m_.begin_value(from, At::kColon, frame, rest.node, rest.wanted);
        }
      } else if (remembers) {
        const std::string_view item = m_.text_from(thread.begin);
        if (m_.is_new(thread.frame, item, thread.spelling)) from.push_back(m_.after(m_.with_text(thread.frame, item)));
      } else {
        from.push_back(m_.after(thread.frame));
      }
      m_.step_all(from, trie_.at(group[0].child).byte, next);
      return size;
    };
    if (!remembers) {
      arrive({});
      if (next.empty()) return;
    }
    for (const TokenTrie::Exit& exit : group) {
      if (!counts(exit)) continue;
      const TokenTrie::Node& child = trie_.at(exit.child);
      std::size_t size = m_.text_.size();
      if (remembers) {
        size = arrive(path(exit.child).substr(0, child.depth - 1u));
        if (next.empty()) {
          m_.text_.resize(size);
          continue;
        }
      } else {
        m_.text_ += path(exit.child).substr(0, child.depth - 1u);
      }
      if (child.token >= 0) out_.set(child.token);
      if (child.has_children) {
        m_.text_ += static_cast<char>(child.byte);
        children(exit.child, next);
      }
      m_.text_.resize(size);
    }
    m_.arena_.release(mark);
  }

  // Bytes that begin with the way to a node.
  std::string_view path(TokenTrie::NodeIndex node) const {
    while (trie_.at(node).token < 0) ++node;  // every leaf is a token
    return trie_.bytes(trie_.at(node).token);
  }

  Matcher& m_;
  const TokenTrie& trie_;
  TokenMask& out_;
  std::deque<Threads> levels_;
  std::size_t depth_ = 0;
};

Status Matcher::mask(TokenMask& out) {
  const std::lock_guard lock(grammar_.mutex);
  grammar_.dfa.pool().effort().begin_anew();
  out.clear_all();
  Walk(*this, out).run();
  return failure();
}

}  // namespace lfm::constrain
