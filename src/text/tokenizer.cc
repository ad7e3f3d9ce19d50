#include "text/tokenizer.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/try.h"
#include "text/pretokenizer.h"

namespace lfm::text {
namespace {

constexpr std::string_view kEndTexts[] = {"<|im_end|>", "<|endoftext|>"};
constexpr std::string_view kMarkers[] = {"<|im_start|>", "<|im_end|>", "<|endoftext|>"};

Status check_kind(const TokenizerData& data) {
  if (data.model != "gpt2") {
    return Error{ErrorCode::kUnsupported, "tokenizer model is '" + data.model + "', expected 'gpt2'",
                 "tokenizer.ggml.model"};
  }
  if (data.pre != "lfm2") {
    return Error{ErrorCode::kUnsupported, "pre-tokenizer is '" + data.pre + "', expected 'lfm2'", "tokenizer.ggml.pre"};
  }
  return {};
}

// A chat marker that is an ordinary token would be encoded from anyone's text, and the model's end would go unseen.
Status check_markers(const Vocabulary& vocabulary) {
  for (const std::string_view marker : kMarkers) {
    if (const TokenId id = vocabulary.find(marker); id != Vocabulary::kNone) {
      return Error{ErrorCode::kFormat, std::string(marker) + " is a normal token, expected a control token",
                   "tokenizer.ggml.token_type", static_cast<std::uint64_t>(id)};
    }
  }
  return {};
}

Result<std::optional<TokenId>> read_id(const std::optional<std::uint64_t>& id, const Vocabulary& vocabulary,
                                       const char* key) {
  if (!id) return std::optional<TokenId>();
  if (*id >= vocabulary.size()) {
    return Error{
        ErrorCode::kFormat,
        "id is " + std::to_string(*id) + ", the vocabulary has " + std::to_string(vocabulary.size()) + " tokens", key};
  }
  return std::optional<TokenId>(static_cast<TokenId>(*id));
}

}  // namespace

Tokenizer::Tokenizer(Vocabulary vocabulary, Merges merges)
    : vocabulary_(std::move(vocabulary)), merges_(std::move(merges)), added_(vocabulary_) {}

Result<Tokenizer> Tokenizer::create(const TokenizerData& data) {
  LFM_TRY(check_kind(data));
  LFM_ASSIGN(auto vocabulary, Vocabulary::create(data));
  LFM_TRY(check_markers(vocabulary));
  LFM_ASSIGN(auto merges, Merges::create(data, vocabulary));
  Tokenizer tokenizer(std::move(vocabulary), std::move(merges));
  LFM_TRY(tokenizer.set_special_ids(data));
  return tokenizer;
}

Status Tokenizer::set_special_ids(const TokenizerData& data) {
  LFM_ASSIGN(bos_, read_id(data.bos_id, vocabulary_, "tokenizer.ggml.bos_token_id"));
  LFM_ASSIGN(eos_, read_id(data.eos_id, vocabulary_, "tokenizer.ggml.eos_token_id"));
  LFM_ASSIGN(const auto eot, read_id(data.eot_id, vocabulary_, "tokenizer.ggml.eot_token_id"));
  LFM_TRY(read_id(data.pad_id, vocabulary_, "tokenizer.ggml.padding_token_id"));
  if (bos_ && bos_ == eos_) {
    return Error{ErrorCode::kFormat, "the tokens that begin and end a text are the same",
                 "tokenizer.ggml.eos_token_id"};
  }
  if (data.add_bos && !bos_) {
    return Error{ErrorCode::kFormat, "BOS is to be added, but there is no BOS token", "tokenizer.ggml.add_bos_token"};
  }
  adds_bos_ = data.add_bos;

  if (eos_) end_tokens_.push_back(*eos_);
  if (eot) end_tokens_.push_back(*eot);
  for (const std::string_view text : kEndTexts) {
    if (const TokenId id = vocabulary_.find_plain(text); id != Vocabulary::kNone) end_tokens_.push_back(id);
  }
  std::sort(end_tokens_.begin(), end_tokens_.end());
  end_tokens_.erase(std::unique(end_tokens_.begin(), end_tokens_.end()), end_tokens_.end());
  return {};
}

Status Tokenizer::encode(std::string_view text, const EncodeOptions& options, std::vector<TokenId>& out) const {
  if (text.size() > kMaxTextBytes) {
    return Error{ErrorCode::kLimit,
                 "the text has " + std::to_string(text.size()) + " bytes, at most 268435456 are supported", "text"};
  }
  if (options.bos) {
    if (!bos_) return Error{ErrorCode::kArgument, "the model has no BOS token to begin the text with", "bos"};
    out.push_back(*bos_);
  }
  Merges::Scratch scratch;
  if (options.added_tokens == AddedTokens::kNone) {
    encode_plain(text, scratch, out);
    return {};
  }
  cut_at_added(text, options.added_tokens, [&](std::string_view bytes, TokenId token) {
    token == Vocabulary::kNone ? encode_plain(bytes, scratch, out) : out.push_back(token);
  });
  return {};
}

Result<std::vector<TokenId>> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  std::vector<TokenId> ids;
  LFM_TRY(encode(text, options, ids));
  return ids;
}

void Tokenizer::encode_plain(std::string_view text, Merges::Scratch& scratch, std::vector<TokenId>& out) const {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = pretoken_end(text, begin);
    const std::string_view piece = text.substr(begin, end - begin);
    // ignore_merges: a piece that is a token is that token, whatever the merges would make of it.
    const TokenId whole = vocabulary_.find(piece);
    if (whole != Vocabulary::kNone) {
      out.push_back(whole);
    } else {
      merges_.encode(piece, vocabulary_, scratch, out);
    }
    begin = end;
  }
}

Result<std::string> Tokenizer::decode(std::span<const TokenId> ids, const DecodeOptions& options) const {
  std::string bytes;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!vocabulary_.contains(ids[i])) {
      return Error{ErrorCode::kArgument,
                   "token id is " + std::to_string(ids[i]) + ", the vocabulary has " +
                       std::to_string(vocabulary_.size()) + " tokens",
                   "ids", i};
    }
    if (!options.skip_control || !is_control(ids[i])) bytes += vocabulary_.bytes(ids[i]);
  }
  return bytes;
}

bool Tokenizer::is_control(TokenId id) const noexcept {
  const TokenType type = vocabulary_.type(id);
  return type == TokenType::kControl || type == TokenType::kUnknown;
}

bool Tokenizer::ends_generation(TokenId id) const noexcept {
  return std::find(end_tokens_.begin(), end_tokens_.end(), id) != end_tokens_.end();
}

}  // namespace lfm::text
