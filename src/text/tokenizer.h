// Text to tokens and back: byte-level BPE as Hugging Face tokenizers does it for LFM2 (pre-tokenizer `lfm2`,
// ignore_merges, no normaliser), to which the ids are equal.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"
#include "text/added_tokens.h"
#include "text/merges.h"
#include "text/tokenizer_data.h"
#include "text/vocabulary.h"

namespace lfm::text {

struct EncodeOptions {
  AddedTokens added_tokens = AddedTokens::kAll;
  bool bos = false;  // put the BOS token in front; kArgument if the model has none
};

struct DecodeOptions {
  bool skip_control = false;  // leave kControl and kUnknown tokens out instead of printing their text
};

// Immutable, so that any number of threads may share one.
class Tokenizer {
 public:
  static constexpr std::size_t kMaxTextBytes = std::size_t{256} << 20;

  // Takes a copy of all that it needs. Besides the errors of Vocabulary::create and Merges::create:
  //   kUnsupported  a model other than "gpt2", a pre-tokenizer other than "lfm2"
  //   kFormat       a special id outside the vocabulary, bos_id equal to eos_id, add_bos without bos_id, <|im_start|>,
  //                 <|im_end|> or <|endoftext|> as a normal token
  static Result<Tokenizer> create(const TokenizerData& data);

  // Appends the tokens of a text of any bytes to `out`. Bytes that aren't UTF-8 come out as the tokens of those bytes,
  // so that decoding gives them back; nothing is replaced. kLimit: more than kMaxTextBytes; `out` is as it was then.
  // Time O(n log n); memory 24 bytes per byte of the longest run that the pre-tokenizer doesn't cut.
  Status encode(std::string_view text, const EncodeOptions& options, std::vector<TokenId>& out) const;
  Result<std::vector<TokenId>> encode(std::string_view text, const EncodeOptions& options = {}) const;

  // A text as the added tokens that it spells and what is between them: the leftmost token first, of those that begin
  // there the longest, and the next from its end on. each(bytes, kNone or the token).
  template <typename Each>
  void cut_at_added(std::string_view text, AddedTokens which, Each each) const;

  // The exact bytes of the tokens, one after the other; not necessarily UTF-8 (see Utf8Stream). kArgument: an id
  // outside the vocabulary, with its index.
  Result<std::string> decode(std::span<const TokenId> ids, const DecodeOptions& options = {}) const;

  // The bytes of one token. Requires vocabulary().contains(id).
  std::string_view piece(TokenId id) const noexcept { return vocabulary_.bytes(id); }
  bool is_control(TokenId id) const noexcept;

  // Whether a generation is over when the model says this: eos_id, eot_id, and <|im_end|> and <|endoftext|> wherever
  // they are (the list that llama.cpp makes, as far as LFM2 has it).
  bool ends_generation(TokenId id) const noexcept;
  std::span<const TokenId> end_tokens() const noexcept { return end_tokens_; }  // ascending

  const Vocabulary& vocabulary() const noexcept { return vocabulary_; }
  std::optional<TokenId> bos() const noexcept { return bos_; }
  std::optional<TokenId> eos() const noexcept { return eos_; }
  bool adds_bos() const noexcept { return adds_bos_; }  // whether the model wants BOS in front of every text

 private:
  Tokenizer(Vocabulary vocabulary, Merges merges);
  Status set_special_ids(const TokenizerData& data);
  void encode_plain(std::string_view text, Merges::Scratch& scratch, std::vector<TokenId>& out) const;

  Vocabulary vocabulary_;
  Merges merges_;
  AddedTokenIndex added_;
  std::vector<TokenId> end_tokens_;
  std::optional<TokenId> bos_;
  std::optional<TokenId> eos_;
  bool adds_bos_ = false;
};

template <typename Each>
void Tokenizer::cut_at_added(std::string_view text, AddedTokens which, Each each) const {
  constexpr std::size_t kAtOnce = std::size_t{1} << 14;  // bytes in which tokens are looked for
  std::size_t plain = 0;  // where the text begins that is in no token yet
  std::vector<TokenId> found(added_.empty(which) ? 0 : std::min(text.size(), kAtOnce));
  for (std::size_t first = 0; first < text.size() && !found.empty(); first += found.size()) {
    const auto some = std::span(found).first(std::min(found.size(), text.size() - first));
    added_.longest(text, first, which, some);
    for (std::size_t i = std::max(first, plain); i < first + some.size(); ++i) {
      const TokenId id = some[i - first];
      if (id == Vocabulary::kNone) continue;
      if (i > plain) each(text.substr(plain, i - plain), Vocabulary::kNone);
      plain = i + vocabulary_.bytes(id).size();
      each(text.substr(i, plain - i), id);
      i = plain - 1;
    }
  }
  if (plain < text.size()) each(text.substr(plain), Vocabulary::kNone);
}

}  // namespace lfm::text
