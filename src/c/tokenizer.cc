#include <string>
#include <utility>

#include "base/try.h"
#include "c/handles.h"

namespace c = lfm::c;

lfm_code lfm_tokenizer_open(const char* path, lfm_tokenizer** tokenizer, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{path, "path"}, {tokenizer, "tokenizer"}}));
    LFM_ASSIGN(lfm::Tokenizer opened, lfm::Tokenizer::open(path));
    *tokenizer = new lfm_tokenizer{std::move(opened)};
    return {};
  });
}

void lfm_tokenizer_free(lfm_tokenizer* tokenizer) {
  delete tokenizer;
}

lfm_code lfm_encode(const lfm_tokenizer* tokenizer, const char* text, size_t bytes, bool bos, bool special_tokens,
                    lfm_token* tokens, size_t capacity, size_t* count, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{tokenizer, "tokenizer"}, {count, "count"}}));
    LFM_ASSIGN(const auto given, c::array(text, bytes, "text"));
    if (capacity > 0) LFM_TRY(c::given({{tokens, "tokens"}}));
    LFM_ASSIGN(const auto ids, tokenizer->tokenizer.encode({given.data(), given.size()},
                                                           {.bos = bos, .special_tokens = special_tokens}));
    return c::give<lfm_token>(ids, tokens, capacity, count);
  });
}

lfm_code lfm_decode(const lfm_tokenizer* tokenizer, const lfm_token* tokens, size_t count, char* text, size_t capacity,
                    size_t* bytes, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{tokenizer, "tokenizer"}, {bytes, "bytes"}}));
    LFM_ASSIGN(const auto ids, c::array(tokens, count, "tokens"));
    if (capacity > 0) LFM_TRY(c::given({{text, "text"}}));
    LFM_ASSIGN(const std::string decoded, tokenizer->tokenizer.decode(ids));
    return c::give<char>(decoded, text, capacity, bytes);
  });
}

bool lfm_ends_generation(const lfm_tokenizer* tokenizer, lfm_token token) {
  return tokenizer != nullptr && tokenizer->tokenizer.ends_generation(token);
}

size_t lfm_vocabulary(const lfm_tokenizer* tokenizer) {
  return tokenizer != nullptr ? tokenizer->tokenizer.size() : 0;
}

lfm_token lfm_bos(const lfm_tokenizer* tokenizer) {
  return tokenizer != nullptr ? tokenizer->tokenizer.bos().value_or(-1) : -1;
}

lfm_token lfm_eos(const lfm_tokenizer* tokenizer) {
  return tokenizer != nullptr ? tokenizer->tokenizer.eos().value_or(-1) : -1;
}

lfm_token lfm_find_special(const lfm_tokenizer* tokenizer, const char* name) {
  if (tokenizer == nullptr || name == nullptr) return -1;
  return tokenizer->tokenizer.find_special(name).value_or(-1);
}
