// Text to token ids and back.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/export.h"
#include "lfm/result.h"
#include "lfm/types.h"

namespace lfm {

namespace text {
class Tokenizer;
}

// A handle to a model's tokenizer: cheap to copy, usable from any number of threads.
class LFM_API Tokenizer {
 public:
  // The tokenizer of a GGUF file, without its weights. Errors as Engine::open.
  static Result<Tokenizer> open(const std::string& path);

  struct EncodeOptions {
    bool bos = true;              // put the model's first token in front, where the model wants one
    bool special_tokens = false;  // text such as "<|im_end|>" becomes that token; otherwise it stays plain text
  };

  // Any bytes; what isn't UTF-8 is taken byte by byte, so that decode() gives it back. kLimit above 256 MiB.
  Result<std::vector<TokenId>> encode(std::string_view text, const EncodeOptions& options) const;
  Result<std::vector<TokenId>> encode(std::string_view text) const { return encode(text, EncodeOptions{}); }

  // The exact bytes of the tokens. kArgument for an id outside the vocabulary, with its index.
  Result<std::string> decode(std::span<const TokenId> ids) const;

  // Tokens of the vocabulary.
  std::size_t size() const noexcept;

  // How many tokens encode() would give.
  Result<std::size_t> count(std::string_view text, const EncodeOptions& options) const;
  Result<std::size_t> count(std::string_view text) const { return count(text, EncodeOptions{}); }

  // Whether a generation is over when the model says this token, and all of those, ascending: what ends a turn of a
  // chat is one of them. Valid as long as a handle is.
  bool ends_generation(TokenId id) const noexcept;
  std::span<const TokenId> end_tokens() const noexcept;

  // The tokens that texts of the model begin and end with, where it has them.
  std::optional<TokenId> bos() const noexcept;
  std::optional<TokenId> eos() const noexcept;

  // The special token of this name, such as "<|im_end|>".
  std::optional<TokenId> find_special(std::string_view name) const noexcept;

 private:
  friend class Engine;
  explicit Tokenizer(std::shared_ptr<const text::Tokenizer> inner) noexcept : inner_(std::move(inner)) {}
  std::shared_ptr<const text::Tokenizer> inner_;
};

}  // namespace lfm
