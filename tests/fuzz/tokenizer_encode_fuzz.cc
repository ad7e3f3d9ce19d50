// Any bytes as a text: what comes out is the text again, and no special token unless they were asked for.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tests/text/sample.h"

namespace {

using lfm::text::AddedTokens;
using lfm::text::Tokenizer;

void check(const Tokenizer& tokenizer, std::string_view text, const lfm::text::EncodeOptions& options) {
  const auto ids = tokenizer.encode(text, options);
  if (!ids.ok() || ids->size() > text.size() + 1) std::abort();
  std::span<const lfm::TokenId> plain = *ids;
  if (options.bos) {
    if (plain.front() != tokenizer.bos()) std::abort();
    plain = plain.subspan(1);
  }
  const auto back = tokenizer.decode(plain);
  if (!back.ok() || *back != text) std::abort();
  if (options.added_tokens == AddedTokens::kAll) return;
  for (const lfm::TokenId id : plain) {
    if (tokenizer.is_control(id)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Tokenizer& tokenizer = lfm::text::sample_tokenizer();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(tokenizer, text, {.added_tokens = AddedTokens::kAll, .bos = false});
  check(tokenizer, text, {.added_tokens = AddedTokens::kUserDefined, .bos = true});
  check(tokenizer, text, {.added_tokens = AddedTokens::kNone, .bos = false});
  return 0;
}
