#include "chat/template.h"

#include <ctime>
#include <utility>

#include "base/file.h"
#include "base/float_mode.h"
#include "base/try.h"
#include "chat/json.h"
#include "chat/structure.h"

namespace lfm::chat {
namespace {

Result<std::string> today() {
  const std::time_t now = std::time(nullptr);
  std::tm local = {};
  char text[32];
  if (localtime_r(&now, &local) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%d", &local) == 0) {
    return Error{ErrorCode::kIo, "the system doesn't tell the date", "date"};
  }
  return std::string(text);
}

Status check_date(const std::string& date) {
  constexpr std::string_view kShape = "0000-00-00";
  bool good = date.size() == kShape.size();
  for (std::size_t i = 0; good && i < kShape.size(); ++i) {
    good = kShape[i] == '-' ? date[i] == '-' : date[i] >= '0' && date[i] <= '9';
  }
  if (!good) return Error{ErrorCode::kArgument, "expected a date such as 2026-11-22", "date"};
  return {};
}

}  // namespace

Result<std::shared_ptr<const Template>> Template::create(std::shared_ptr<const text::Tokenizer> tokenizer,
                                                         const FoundForm& of_model, const ChatOptions& options) {
  for (const std::string_view name : {kTurnStart, kTurnEnd}) {
    if (find_token(*tokenizer, name) == text::Vocabulary::kNone) {
      return Error{ErrorCode::kUnsupported, "the vocabulary has no token " + std::string(name)};
    }
  }
  const bool from_model = options.form == ChatForm::kFromModel;
  std::shared_ptr<Template> made(
      new Template(std::move(tokenizer), from_model ? of_model.form : Form::of(options.form)));
  made->options_.date = options.date;
  if (!options.date.empty()) {
    LFM_TRY(check_date(options.date));
  } else if (made->form_.date && !options.tools.empty() && !options.custom) {  // where it is written, and only there
    LFM_ASSIGN(made->options_.date, today());
  }
  if (!options.tools.empty()) {
    LFM_ASSIGN(made->options_.tools, read_objects(options.tools, "tools"));
  }
  made->options_.preserve_thinking = options.preserve_thinking;
  made->custom_ = options.custom;
  if (from_model && !options.custom && !of_model.note.empty()) made->notes_.push_back(of_model.note);
  return std::shared_ptr<const Template>(std::move(made));
}

bool Template::has_first_token() const noexcept {
  return tokenizer_->bos() && (tokenizer_->adds_bos() || (form_.first_token && !custom_));
}

Result<Parts> Template::parts(std::span<const Message> messages, bool generation_prompt) const {
  if (!custom_) return write(form_, options_, messages, generation_prompt, *tokenizer_);
  const auto written = [&] {
    const base::CallersFloatMode mode;
    return custom_(messages, generation_prompt);
  };
  LFM_ASSIGN(std::vector<ChatSegment> segments, written());
  Parts parts;
  for (ChatSegment& segment : segments) {
    if (segment.token && find_token(*tokenizer_, segment.text) == text::Vocabulary::kNone) {
      return Error{ErrorCode::kArgument, "the vocabulary has no token " + base::printable(segment.text), "custom",
                   static_cast<std::uint64_t>(&segment - segments.data())};
    }
    segment.token ? parts.token(segment.text) : parts.text(std::move(segment.text));
  }
  return parts;
}

Result<std::vector<TokenId>> Template::tokens(std::span<const Message> messages, bool generation_prompt,
                                              std::vector<std::size_t>* ends) const {
  LFM_ASSIGN(const Parts written, parts(messages, generation_prompt));
  std::vector<TokenId> tokens;
  if (has_first_token()) tokens.push_back(*tokenizer_->bos());
  // Neighbouring texts are cut into tokens as one.
  std::string plain;
  const auto end_plain = [&] {
    const Status status = tokenizer_->encode(plain, {.added_tokens = text::AddedTokens::kNone}, tokens);
    plain.clear();
    return status;
  };
  for (const Part& part : written.all()) {
    const TokenId id = part.token ? find_token(*tokenizer_, part.text) : text::Vocabulary::kNone;
    if (id == text::Vocabulary::kNone && part.ids.empty()) {
      plain += part.text;
      continue;
    }
    LFM_TRY(end_plain());
    if (ends != nullptr && part.token && part.text == kTurnStart && tokens.size() > 1) ends->push_back(tokens.size());
    if (id != text::Vocabulary::kNone) tokens.push_back(id);
    tokens.insert(tokens.end(), part.ids.begin(), part.ids.end());
  }
  LFM_TRY(end_plain());
  return tokens;
}

Result<std::string> Template::text(std::span<const Message> messages, bool generation_prompt) const {
  LFM_ASSIGN(const Parts written, parts(messages, generation_prompt));
  std::string text;
  if (has_first_token()) text += tokenizer_->piece(*tokenizer_->bos());
  for (const Part& part : written.all()) {
    text += part.text;
    for (const TokenId id : part.ids) text += tokenizer_->piece(id);
  }
  return text;
}

std::size_t Template::answer_begin(std::span<const TokenId> prompt) const noexcept {
  const bool opened = !prompt.empty() && prompt.back() == find_token(*tokenizer_, kThinkStart);
  return prompt.size() - (opened ? 1 : 0);
}

}  // namespace lfm::chat
