// The tokens of a model: id to bytes, and bytes to id for those that byte-level BPE may produce.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"
#include "text/tokenizer_data.h"

namespace lfm::text {

// Immutable. One arena of bytes and flat tables: 128,000 tokens take about 5 MB.
class Vocabulary {
 public:
  static constexpr TokenId kNone = -1;
  static constexpr std::size_t kMaxTokens = std::size_t{1} << 20;
  static constexpr std::size_t kMaxTokenBytes = 1024;  // of a token's text as the file has it

  // kFormat: no tokens, or not one type per token; a type that doesn't exist; a text that is empty, no UTF-8 or given
  // twice; one of the 256 single bytes missing. kLimit: more than kMaxTokens or kMaxTokenBytes. The error's field is
  // the metadata key and its index the id. kUnsupported: a BYTE token (type 6), which byte-level BPE has no use for.
  static Result<Vocabulary> create(const TokenizerData& data);

  std::size_t size() const noexcept { return types_.size(); }
  bool contains(TokenId id) const noexcept { return id >= 0 && static_cast<std::size_t>(id) < size(); }

  // These require contains(id). A token is byte-level if it is kNormal and written in the byte alphabet.
  std::string_view bytes(TokenId id) const noexcept;
  TokenType type(TokenId id) const noexcept { return types_[static_cast<std::size_t>(id)]; }
  bool is_byte_level(TokenId id) const noexcept { return is_byte_level_[static_cast<std::size_t>(id)]; }

  // The id whose text is exactly these bytes, or kNone. `find` looks among the byte-level tokens, `find_plain`
  // among all others, whose text is taken as it stands.
  TokenId find(std::string_view bytes) const noexcept { return byte_level_.find(*this, bytes); }
  TokenId find_plain(std::string_view text) const noexcept { return plain_.find(*this, text); }

  // The token that is this byte.
  TokenId byte_token(unsigned char byte) const noexcept { return byte_tokens_[byte]; }

  // Depends on every token's bytes, so that nobody can choose tokens or merges that all collide.
  std::uint64_t hash_seed() const noexcept { return seed_; }

 private:
  // Open addressing with linear probing from bytes to id.
  class Index {
   public:
    void reserve(std::size_t entries) { slots_.assign(table_size_for(entries), Slot{}); }
    // Returns the id that holds these bytes already, or kNone after inserting.
    TokenId insert(const Vocabulary& vocabulary, TokenId id);
    TokenId find(const Vocabulary& vocabulary, std::string_view bytes) const noexcept;

   private:
    struct Slot {
      std::uint32_t tag = 0;  // upper half of the hash, to look at the bytes of likely matches only
      TokenId id = kNone;
    };
    static std::size_t table_size_for(std::size_t entries) noexcept;
    std::size_t probe(const Vocabulary& vocabulary, std::string_view bytes, std::uint64_t hash) const noexcept;

    std::vector<Slot> slots_;
  };

  Status read_tokens(const TokenizerData& data);
  Status index_tokens(const TokenizerData& data);
  Status find_byte_tokens();

  std::string arena_;                   // bytes of all tokens, one after the other
  std::vector<std::uint32_t> offsets_;  // token i is arena_[offsets_[i], offsets_[i + 1])
  std::vector<TokenType> types_;
  std::vector<bool> is_byte_level_;
  std::uint64_t seed_ = 0;
  Index byte_level_;
  Index plain_;
  std::array<TokenId, 256> byte_tokens_ = {};
};

}  // namespace lfm::text
