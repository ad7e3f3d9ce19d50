#include "text/vocabulary.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "text/byte_alphabet.h"
#include "text/hash.h"
#include "text/utf8.h"

namespace lfm::text {
namespace {

constexpr const char* kTokensKey = "tokenizer.ggml.tokens";
constexpr const char* kTypesKey = "tokenizer.ggml.token_type";
constexpr std::int32_t kByteType = 6;

Error token_error(ErrorCode code, std::string message, std::size_t id) {
  return {.code = code, .message = std::move(message), .field = kTokensKey, .index = id};
}

Status check_type(std::int32_t type, std::size_t id) {
  if (type == kByteType) {
    return Error{ErrorCode::kUnsupported, "token type is 6 (BYTE), which byte-level BPE doesn't have", kTypesKey, id};
  }
  if (type < 1 || type > 5) {
    return Error{ErrorCode::kFormat, "token type is " + std::to_string(type) + ", expected 1 to 5", kTypesKey, id};
  }
  return {};
}

}  // namespace

std::size_t Vocabulary::Index::table_size_for(std::size_t entries) noexcept {
  return table_size(entries);
}

std::size_t Vocabulary::Index::probe(const Vocabulary& vocabulary, std::string_view bytes,
                                     std::uint64_t hash) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  std::size_t slot = hash & mask;
  while (slots_[slot].id != kNone && (slots_[slot].tag != tag || vocabulary.bytes(slots_[slot].id) != bytes)) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

TokenId Vocabulary::Index::insert(const Vocabulary& vocabulary, TokenId id) {
  const std::string_view bytes = vocabulary.bytes(id);
  const std::uint64_t hash = hash_bytes(bytes, vocabulary.seed_);
  Slot& slot = slots_[probe(vocabulary, bytes, hash)];
  if (slot.id != kNone) return slot.id;
  slot = {static_cast<std::uint32_t>(hash >> 32), id};
  return kNone;
}

TokenId Vocabulary::Index::find(const Vocabulary& vocabulary, std::string_view bytes) const noexcept {
  return slots_[probe(vocabulary, bytes, hash_bytes(bytes, vocabulary.seed_))].id;
}

Result<Vocabulary> Vocabulary::create(const TokenizerData& data) {
  Vocabulary vocabulary;
  LFM_TRY(vocabulary.read_tokens(data));
  LFM_TRY(vocabulary.index_tokens(data));
  LFM_TRY(vocabulary.find_byte_tokens());
  return vocabulary;
}

std::string_view Vocabulary::bytes(TokenId id) const noexcept {
  const auto i = static_cast<std::size_t>(id);
  return std::string_view(arena_).substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
}

// Fills everything but the indices, which need the seed, which needs all bytes.
Status Vocabulary::read_tokens(const TokenizerData& data) {
  const std::size_t count = data.tokens.size();
  if (count == 0) return Error{ErrorCode::kFormat, "the vocabulary is empty", kTokensKey};
  if (count > kMaxTokens) {
    return Error{ErrorCode::kLimit, std::to_string(count) + " tokens, at most 1048576 are supported", kTokensKey};
  }
  if (data.types.size() != count) {
    return Error{ErrorCode::kFormat,
                 std::to_string(data.types.size()) + " token types for " + std::to_string(count) + " tokens",
                 kTypesKey};
  }

  std::size_t total = 0;
  for (std::size_t id = 0; id < count; ++id) {
    const std::string_view text = data.tokens[id];
    LFM_TRY(check_type(data.types[id], id));
    if (text.empty()) return token_error(ErrorCode::kFormat, "the token's text is empty", id);
    if (text.size() > kMaxTokenBytes) {
      return token_error(ErrorCode::kLimit, "the token's text has more than 1024 bytes", id);
    }
    if (!is_utf8(text)) return token_error(ErrorCode::kFormat, "the token's text is not UTF-8", id);
    total += text.size();
  }

  arena_.reserve(total);
  offsets_.reserve(count + 1);
  types_.reserve(count);
  is_byte_level_.reserve(count);
  offsets_.push_back(0);
  for (std::size_t id = 0; id < count; ++id) {
    const auto type = static_cast<TokenType>(data.types[id]);
    // A normal token outside the byte alphabet can't come out of BPE; it keeps its text, as the reference has it.
    const bool byte_level = type == TokenType::kNormal && append_written_bytes(data.tokens[id], arena_);
    if (!byte_level) arena_ += data.tokens[id];
    types_.push_back(type);
    is_byte_level_.push_back(byte_level);
    offsets_.push_back(static_cast<std::uint32_t>(arena_.size()));
  }
  arena_.shrink_to_fit();
  seed_ = hash_bytes(arena_, count);
  return {};
}

Status Vocabulary::index_tokens(const TokenizerData& data) {
  const auto byte_level_count =
      static_cast<std::size_t>(std::count(is_byte_level_.begin(), is_byte_level_.end(), true));
  byte_level_.reserve(byte_level_count);
  plain_.reserve(size() - byte_level_count);
  const auto duplicate = [](std::size_t id, TokenId first) {
    return token_error(ErrorCode::kFormat, "the token's text is that of token " + std::to_string(first) + " too", id);
  };
  for (std::size_t i = 0; i < size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    const TokenId first = (is_byte_level_[i] ? byte_level_ : plain_).insert(*this, id);
    if (first != kNone) return duplicate(i, first);
  }
  // A plain text may also be what the file calls a byte-level token.
  std::string bytes;
  for (std::size_t i = 0; i < size(); ++i) {
    if (is_byte_level_[i]) continue;
    bytes.clear();
    if (!append_written_bytes(data.tokens[i], bytes)) continue;
    if (const TokenId first = find(bytes); first != kNone) return duplicate(i, first);
  }
  return {};
}

Status Vocabulary::find_byte_tokens() {
  for (std::size_t byte = 0; byte < byte_tokens_.size(); ++byte) {
    const char text = static_cast<char>(byte);
    byte_tokens_[byte] = find({&text, 1});
    if (byte_tokens_[byte] == kNone) {
      return Error{ErrorCode::kFormat, "no token for the single byte " + std::to_string(byte), kTokensKey};
    }
  }
  return {};
}

}  // namespace lfm::text
