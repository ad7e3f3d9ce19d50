// Which tokens may come next.
#include <algorithm>

#include "base/try.h"
#include "constrain/matcher.h"

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
    if (thread.at == At::kText) return take_text(thread);
    const bool name = thread.at == At::kRestName;
    if (thread.at != At::kScalar && !name) return false;
    const bool seen = thread.frame != nullptr && thread.frame->seen != nullptr;
    if (seen && (!name || !is_open(thread))) return false;

    const LexemeMask& mask = m_.masks_->of(thread.x);
    if (!name && m_.grammar_.dfa.accepts(thread.x)) children(TokenTrie::kRoot, {after_scalar(thread)});
    if (seen) {
      TokenMask within = mask.within;
      for (const TokenId token : mask.closing) {
        if (is_repeated(thread, trie_.bytes(token))) within.clear(token);
      }
      out_.add(within);
    } else {
      out_.add(mask.within);
    }
    for (const auto& group : mask.exits) leave(thread, group, [](const TokenTrie::Exit&) { return true; });
    return true;
  }

  bool take_text(const Thread& thread) {
    if (thread.x != m_.grammar_.text_states[thread.spelling]) return false;
    const TokenTrie::Text& text = trie_.text(m_.grammar_.notation.spellings[thread.spelling]);
    const bool seen = thread.frame != nullptr && thread.frame->seen != nullptr && m_.is_unique(thread.frame);
    if (seen && thread.z <= text.longest) return false;
    text.add_at_most(thread.z, out_);
    const auto length_is_right = [&thread](std::uint32_t chars) { return chars >= thread.y && chars <= thread.z; };
    for (const auto& [token, chars] : text.closing) {
      if (length_is_right(chars) && !(seen && is_repeated(thread, trie_.bytes(token)))) out_.set(token);
    }
    for (const auto& group : text.exits) {
      leave(thread, group, [&](const TokenTrie::Exit& exit) { return length_is_right(exit.chars); });
    }
    return true;
  }

  // Whether a name can become another one than those that have come, whatever it begins with.
  bool is_open(const Thread& name) const {
    return m_.objects()[name.frame->rule].rest[name.y].open || m_.grammar_.dfa.is_open(name.x);
  }

  Thread after_scalar(const Thread& thread) {
    if (!m_.is_unique(thread.frame)) return m_.after(thread.frame);
    return m_.after(m_.with_item(thread.frame, m_.text_from(thread.begin), true));
  }

  // Whether the name or item that a token ends has come before.
  bool is_repeated(const Thread& thread, std::string_view token) const {
    std::string text(m_.text_from(thread.begin));
    text += token;
    if (thread.at == At::kRestName) text.pop_back();
    return !m_.is_new(thread.frame, text, thread.spelling);
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
          from.push_back(
              {.at = At::kColon, .x = rest.node, .frame = m_.with_name(thread.frame, name.substr(0, name.size() - 1))});
        }
      } else if (remembers) {
        const std::string_view item = m_.text_from(thread.begin);
        if (m_.is_new(thread.frame, item, thread.spelling))
          from.push_back(m_.after(m_.with_item(thread.frame, item, true)));
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
