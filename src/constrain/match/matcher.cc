#include "constrain/match/matcher.h"

#include <algorithm>

#include "base/try.h"

namespace lfm::constrain {
namespace {

using At = Thread::At;

constexpr std::size_t kMaxForced = 4'096;

}  // namespace

Matcher::Matcher(Grammar& grammar, LexemeMasks* masks, const TokenTrie* trie, Order order)
    : grammar_(grammar), masks_(masks), trie_(trie), order_(order) {
  threads_.push_back({.at = At::kValue, .x = grammar.root});
}

Status Matcher::failure() const {
  if (!failed_ && !grammar_.dfa.failed()) return {};
  return Error{ErrorCode::kLimit, "the constraint has too many states to follow", "constraint"};
}

Result<bool> Matcher::accept(std::string_view bytes, std::size_t* matched) {
  const std::lock_guard lock(grammar_.mutex);
  grammar_.dfa.pool().effort().begin_anew();
  const Threads before = threads_;
  const std::size_t size = text_.size();
  const Arena::Mark mark = arena_.mark();
  Threads next;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    next.clear();
    step_all(threads_, static_cast<std::uint8_t>(bytes[i]), next);
    LFM_TRY(failure());
    if (next.empty()) {
      threads_ = before;
      text_.resize(size);
      arena_.release(mark);
      if (matched != nullptr) *matched = i;
      return false;
    }
    std::swap(threads_, next);
    text_ += bytes[i];
  }
  if (matched != nullptr) *matched = bytes.size();
  // Text that no thread looks back at is let go.
  const bool needed = std::any_of(threads_.begin(), threads_.end(), [](const Thread& thread) {
    return thread.at == At::kScalar || thread.at == At::kText || thread.at == At::kRestName;
  });
  if (!needed) {
    dropped_ += static_cast<std::uint32_t>(text_.size());
    text_.clear();
  }
  return true;
}

bool Matcher::is_complete() {
  return std::any_of(threads_.begin(), threads_.end(), [this](const Thread& thread) {
    if (thread.at == At::kEnd) return true;
    if (thread.frame != nullptr) return false;
    // A pattern may match what is empty.
    if (thread.at == At::kValue) return grammar_.dfa.accepts(grammar_.nodes[thread.x].scalar);
    return thread.at == At::kScalar && grammar_.dfa.accepts(thread.x);
  });
}

Result<std::string> Matcher::forced() {
  const std::lock_guard lock(grammar_.mutex);
  grammar_.dfa.pool().effort().begin_anew();
  std::string out;
  Threads threads = threads_;
  const std::size_t size = text_.size();
  while (out.size() < kMaxForced) {
    // A choice is there soon, mostly, and then there is nothing to look for.
    const bool may_end = std::any_of(threads.begin(), threads.end(), [this](const Thread& thread) {
      return thread.at == At::kEnd || (thread.at == At::kScalar && grammar_.dfa.accepts(thread.x)) ||
             (thread.at == At::kText && thread.z > 1);
    });
    if (may_end) break;
    Threads only, next;
    int choices = 0;
    std::uint8_t byte = 0;
    for (unsigned b = 0; b < 256 && choices < 2; ++b) {
      next.clear();
      step_all(threads, static_cast<std::uint8_t>(b), next);
      if (next.empty()) continue;
      ++choices;
      byte = static_cast<std::uint8_t>(b);
      only = next;
    }
    LFM_TRY(failure());
    if (choices != 1) break;
    out += static_cast<char>(byte);
    text_ += static_cast<char>(byte);
    threads = std::move(only);
  }
  text_.resize(size);
  return out;
}

}  // namespace lfm::constrain
