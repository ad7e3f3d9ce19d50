#include "text/merges.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "base/try.h"
#include "text/byte_alphabet.h"
#include "text/hash.h"

namespace lfm::text {
namespace {

constexpr const char* kMergesKey = "tokenizer.ggml.merges";
constexpr std::uint32_t kEnd = ~std::uint32_t{0};

Error merge_error(std::string message, std::size_t index) {
  return {.code = ErrorCode::kFormat, .message = std::move(message), .field = kMergesKey, .index = index};
}

// Finds the tokens that a merge names: byte-level ones by their bytes, others by the text itself.
class MergeReader {
 public:
  explicit MergeReader(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

  struct Tokens {
    TokenId left, right, joint;  // Vocabulary::kNone where there is none
  };
  Tokens read(std::string_view left, std::string_view right) {
    bytes_.clear();
    const bool left_written = append_written_bytes(left, bytes_);
    const std::size_t cut = bytes_.size();
    const bool right_written = append_written_bytes(right, bytes_);
    const std::string_view bytes = bytes_;
    Tokens tokens = {.left = left_written ? vocabulary_.find(bytes.substr(0, cut)) : Vocabulary::kNone,
                     .right = right_written ? vocabulary_.find(bytes.substr(cut)) : Vocabulary::kNone,
                     .joint = left_written && right_written ? vocabulary_.find(bytes) : Vocabulary::kNone};
    if (tokens.left == Vocabulary::kNone) tokens.left = vocabulary_.find_plain(left);
    if (tokens.right == Vocabulary::kNone) tokens.right = vocabulary_.find_plain(right);
    if (tokens.joint == Vocabulary::kNone) tokens.joint = vocabulary_.find_plain(std::string(left).append(right));
    return tokens;
  }

 private:
  const Vocabulary& vocabulary_;
  std::string bytes_;
};

}  // namespace

Result<Merges> Merges::create(const TokenizerData& data, const Vocabulary& vocabulary) {
  const std::size_t count = data.merges.size();
  if (count == 0) return Error{ErrorCode::kFormat, "there are no merges", kMergesKey};
  if (count > kMaxMerges) {
    return Error{ErrorCode::kLimit, std::to_string(count) + " merges, at most 4194304 are supported", kMergesKey};
  }
  Merges merges;
  merges.seed_ = vocabulary.hash_seed();
  merges.merges_.reserve(count);
  merges.slots_.assign(table_size(count), kNoRank);

  MergeReader reader(vocabulary);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view text = data.merges[i];
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || space == 0 || space + 1 == text.size() ||
        text.find(' ', space + 1) != std::string_view::npos) {
      return merge_error("the merge isn't two texts with a space between", i);
    }
    const auto [left, right, joint] = reader.read(text.substr(0, space), text.substr(space + 1));
    if (left == Vocabulary::kNone) return merge_error("the merge's left part is no token", i);
    if (right == Vocabulary::kNone) return merge_error("the merge's right part is no token", i);
    if (joint == Vocabulary::kNone) return merge_error("the merge's joint text is no token", i);
    if (!vocabulary.is_byte_level(joint)) continue;
    std::uint32_t& slot = merges.slots_[merges.probe(left, right)];
    if (slot != kNoRank) return merge_error("the merge was given before", i);
    slot = static_cast<std::uint32_t>(merges.merges_.size());
    merges.merges_.push_back({left, right, joint});
  }
  return merges;
}

std::size_t Merges::probe(TokenId left, TokenId right) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  const std::uint64_t pair =
      static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
  std::size_t slot = mix_bits(pair ^ seed_) & mask;
  while (slots_[slot] != kNoRank) {
    const Merge& merge = merges_[slots_[slot]];
    if (merge.left == left && merge.right == right) break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

void Merges::enqueue(Scratch& scratch, std::uint32_t position) const {
  const Scratch::Symbol& left = scratch.symbols_[position];
  if (left.after == kEnd) return;
  const std::uint32_t best = rank(left.id, scratch.symbols_[left.after].id);
  if (best != kNoRank) scratch.queue_.push_back(static_cast<std::uint64_t>(best) << 32 | position);
}

void Merges::encode(std::string_view piece, const Vocabulary& vocabulary, Scratch& scratch,
                    std::vector<TokenId>& out) const {
  auto& symbols = scratch.symbols_;
  auto& queue = scratch.queue_;
  const auto count = static_cast<std::uint32_t>(piece.size());
  symbols.resize(count);
  queue.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    // The first symbol's `before` is kEnd, by wrapping.
    symbols[i] = {vocabulary.byte_token(static_cast<unsigned char>(piece[i])), i - 1, i + 1 < count ? i + 1 : kEnd};
  }
  for (std::uint32_t i = 0; i < count; ++i) enqueue(scratch, i);
  std::make_heap(queue.begin(), queue.end(), std::greater<>());

  const auto enqueue_in_order = [&](std::uint32_t position) {
    const std::size_t before = queue.size();
    enqueue(scratch, position);
    if (queue.size() > before) std::push_heap(queue.begin(), queue.end(), std::greater<>());
  };
  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), std::greater<>());
    const std::uint64_t best = queue.back();
    queue.pop_back();
    const Merge& merge = merges_[best >> 32];
    const auto position = static_cast<std::uint32_t>(best);
    // The queue isn't tidied when symbols join, so that an entry may speak of a pair that is gone.
    auto& left = symbols[position];
    if (left.id != merge.left || left.after == kEnd || symbols[left.after].id != merge.right) continue;
    auto& right = symbols[left.after];
    left.id = merge.joint;
    left.after = right.after;
    right.id = Vocabulary::kNone;
    if (left.after != kEnd) symbols[left.after].before = position;
    if (left.before != kEnd) enqueue_in_order(left.before);
    enqueue_in_order(position);
  }
  // Symbols only ever join to the left, so that the first is still there.
  for (std::uint32_t i = 0; i < count; i = symbols[i].after) out.push_back(symbols[i].id);
}

}  // namespace lfm::text
