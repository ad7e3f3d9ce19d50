#include "source/hf_tokenizer.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/try.h"
#include "text/tokenizer_data.h"

namespace lfm::source {
namespace {

using Json = json::Value;
using text::TokenType;

constexpr std::uint64_t kMostTokens = std::uint64_t{1} << 20;
constexpr std::string_view kPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

Error wrong_part(const char* what, std::string message, ErrorCode code = ErrorCode::kFormat,
                 std::uint64_t index = Error::kNone) {
  return Error{code, std::move(message), what, index};
}

const Json* find_text(const Json* object, const char* name) {
  const Json* value = object != nullptr ? json::given(*object, name) : nullptr;
  return value != nullptr && value->is_text() ? value : nullptr;
}

// The steps of a pre-tokenizer or post-processor, which is one or a sequence.
std::vector<const Json*> steps(const Json& tokenizer, const char* part, const char* list) {
  std::vector<const Json*> all;
  const Json* first = json::given(tokenizer, part);
  if (first == nullptr) return all;
  const Json* several = json::given(*first, list);
  if (several == nullptr || !several->is_array()) return {first};
  for (const Json& step : several->items) all.push_back(&step);
  return all;
}

bool is_type(const Json* step, std::string_view type) {
  const Json* name = find_text(step, "type");
  return name != nullptr && name->text == type;
}

// The text of a token setting: "<|im_end|>", or an object with it.
const Json* token_text(const Json& settings, const std::string& name) {
  if (const Json* text = find_text(&settings, name.c_str())) return text;
  return find_text(json::given(settings, name.c_str()), "content");
}

class TokenizerWriter {
 public:
  TokenizerWriter(const Json& tokenizer, const Json& settings, const Json& config, format::GgufWriter& keys)
      : tokenizer_(tokenizer), settings_(settings), config_(config), keys_(keys) {}

  Status run(std::uint64_t vocabulary) {
    LFM_TRY(check_kind());
    LFM_TRY(read_tokens(vocabulary));
    LFM_TRY(read_merges());
    keys_.set_string("tokenizer.ggml.model", "gpt2");
    keys_.set_string("tokenizer.ggml.pre", "lfm2");
    keys_.set_strings("tokenizer.ggml.tokens", tokens_);
    keys_.set_i32s("tokenizer.ggml.token_type", types_);
    keys_.set_strings("tokenizer.ggml.merges", merges_);
    for (const auto& [name, key] : {std::pair("bos", "bos"), std::pair("eos", "eos"), std::pair("pad", "padding")}) {
      LFM_ASSIGN(const std::optional<std::uint32_t> id, special(name));
      if (id) keys_.set_u32("tokenizer.ggml." + std::string(key) + "_token_id", *id);
    }
    return write_added();
  }

 private:
  Status check_kind() const;
  Status read_tokens(std::uint64_t vocabulary);
  Status put(const std::string& text, const Json& id, TokenType type);
  Status read_merges();
  Result<std::optional<std::uint32_t>> special(const std::string& name) const;
  Status write_added();

  const Json& tokenizer_;
  const Json& settings_;
  const Json& config_;
  format::GgufWriter& keys_;
  std::vector<std::string> tokens_;
  std::vector<std::int32_t> types_;
  std::vector<std::string> merges_;
};

Status TokenizerWriter::check_kind() const {
  if (json::given(tokenizer_, "normalizer") != nullptr)
    return wrong_part("normalizer", "tokenizers that change the text aren't supported", ErrorCode::kUnsupported);
  if (!is_type(json::given(tokenizer_, "model"), "BPE"))
    return wrong_part("model", "only BPE tokenizers are supported", ErrorCode::kUnsupported);
  for (const Json* step : steps(tokenizer_, "pre_tokenizer", "pretokenizers")) {
    if (!is_type(step, "Split")) continue;
    const Json* pattern = json::given(*step, "pattern");
    const Json* regex = find_text(pattern, "Regex");
    if (regex != nullptr && regex->text == kPattern) return {};
  }
  return wrong_part("pre_tokenizer", "the text isn't split in the way of the LFM2 family", ErrorCode::kUnsupported);
}

Status TokenizerWriter::put(const std::string& text, const Json& id, TokenType type) {
  const std::optional<std::uint64_t> number = id.whole();
  if (!number || *number >= tokens_.size())
    return wrong_part("vocab",
                      "the id of '" + base::printable(text, 64) + "' isn't below " + std::to_string(tokens_.size()));
  const std::uint64_t i = *number;
  if (types_[i] != static_cast<std::int32_t>(TokenType::kUnused) && tokens_[i] != text)
    return wrong_part("vocab", "two tokens have one id", ErrorCode::kFormat, i);
  tokens_[i] = text;
  types_[i] = static_cast<std::int32_t>(type);
  return {};
}

Status TokenizerWriter::read_tokens(std::uint64_t vocabulary) {
  if (vocabulary == 0 || vocabulary > kMostTokens) return wrong_part("vocab_size", "is out of range");
  for (std::uint64_t i = 0; i < vocabulary; ++i) tokens_.push_back("[PAD" + std::to_string(i) + "]");
  types_.assign(vocabulary, static_cast<std::int32_t>(TokenType::kUnused));
  const Json* vocab = json::given(*json::given(tokenizer_, "model"), "vocab");
  if (vocab == nullptr || !vocab->is_object()) return wrong_part("vocab", "is missing");
  for (const auto& [text, id] : vocab->members) LFM_TRY(put(text, id, TokenType::kNormal));
  const Json* added = json::given(tokenizer_, "added_tokens");
  if (added == nullptr) return {};
  if (!added->is_array()) return wrong_part("added_tokens", "expected a list");
  for (const Json& token : added->items) {
    const Json* text = find_text(&token, "content");
    const Json* id = json::given(token, "id");
    if (text == nullptr || id == nullptr) return wrong_part("added_tokens", "expected content and id");
    LFM_ASSIGN(const std::optional<bool> special, json::find_bool(token, "special"));
    const std::string& name = text->text;
    const bool marker = name.size() > 4 && name.starts_with("<|") && name.ends_with("|>");
    LFM_TRY(put(name, *id, special.value_or(false) || marker ? TokenType::kControl : TokenType::kUserDefined));
  }
  return {};
}

// "left right", or a list of both, in which a space is one of the text's.
Status TokenizerWriter::read_merges() {
  constexpr const char* kSpace = "\xc4\xa0";  // as the byte alphabet writes it
  const Json* merges = json::given(*json::given(tokenizer_, "model"), "merges");
  if (merges == nullptr || !merges->is_array()) return wrong_part("merges", "is missing");
  for (const Json& merge : merges->items) {
    if (merge.is_text()) {
      merges_.push_back(merge.text);
      continue;
    }
    if (merge.items.size() != 2 || !merge.items[0].is_text() || !merge.items[1].is_text())
      return wrong_part("merges", "expected two texts", ErrorCode::kFormat, merges_.size());
    std::string text;
    for (const Json& part : merge.items) {
      if (!text.empty()) text += ' ';
      for (const char c : part.text) c == ' ' ? text += kSpace : text += c;
    }
    merges_.push_back(std::move(text));
  }
  return {};
}

// The id of the token that the settings name, or else the one that config.json gives.
Result<std::optional<std::uint32_t>> TokenizerWriter::special(const std::string& name) const {
  if (const Json* text = token_text(settings_, name + "_token")) {
    const auto at = std::ranges::find(tokens_, text->text);
    if (at != tokens_.end()) return std::optional(static_cast<std::uint32_t>(at - tokens_.begin()));
  }
  const std::string member = name + "_token_id";
  if (const Json* id = json::given(config_, member.c_str()); id != nullptr && id->is_array()) {
    return std::optional<std::uint32_t>();  // several: which of them, the settings would have to say
  }
  LFM_ASSIGN(const std::optional<std::uint64_t> id, json::find_unsigned(config_, member.c_str()));
  if (!id) return std::optional<std::uint32_t>();
  if (*id >= tokens_.size()) return wrong_part("config.json", member + " is no token's");
  return std::optional(static_cast<std::uint32_t>(*id));
}

// Which tokens are put around a text.
Status TokenizerWriter::write_added() {
  std::optional<bool> bos, eos;
  for (const Json* step : steps(tokenizer_, "post_processor", "processors")) {
    if (is_type(step, "ByteLevel")) {
      bos = bos.value_or(false);
      eos = eos.value_or(false);
    }
    const Json* single = is_type(step, "TemplateProcessing") ? json::given(*step, "single") : nullptr;
    if (single == nullptr || single->items.size() < 2) continue;
    const Json* first = find_text(json::given(single->items.front(), "SpecialToken"), "id");
    if (json::given(single->items.back(), "SpecialToken") != nullptr)
      return wrong_part("post_processor", "tokens behind a text aren't supported", ErrorCode::kUnsupported);
    const Json* begins = token_text(settings_, "bos_token");
    if (first != nullptr) bos = begins == nullptr || first->text == begins->text;
  }
  LFM_ASSIGN(const std::optional<bool> set_bos, json::find_bool(settings_, "add_bos_token"));
  LFM_ASSIGN(const std::optional<bool> set_eos, json::find_bool(settings_, "add_eos_token"));
  if (!bos) bos = set_bos;
  if (!eos) eos = set_eos;
  if (eos.value_or(false))
    return wrong_part("add_eos_token", "tokens behind a text aren't supported", ErrorCode::kUnsupported);
  if (bos) keys_.set_bool("tokenizer.ggml.add_bos_token", *bos);
  if (eos) keys_.set_bool("tokenizer.ggml.add_eos_token", *eos);
  return {};
}

}  // namespace

Status write_tokenizer_keys(const Json& tokenizer, const Json& settings, const Json& config, std::uint64_t vocabulary,
                            format::GgufWriter& keys) {
  return TokenizerWriter(tokenizer, settings, config, keys).run(vocabulary);
}

}  // namespace lfm::source
