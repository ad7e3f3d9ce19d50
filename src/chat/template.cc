#include "chat/template.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/float_mode.h"
#include "base/local_time.h"
#include "base/try.h"
#include "chat/structure.h"
#include "chat/tools.h"

namespace lfm::chat {
namespace {

// Empty where the system doesn't tell.
std::string today() {
  const auto local = base::local_time();
  char text[32];
  return local && std::strftime(text, sizeof text, "%Y-%m-%d", &*local) != 0 ? text : "";
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

// The beginning of that day. Requires check_date().
std::tm beginning_of(const std::string& date) {
  const auto number = [&](std::size_t at, std::size_t digits) {
    int out = 0;
    for (std::size_t i = at; i < at + digits; ++i) out = out * 10 + (date[i] - '0');
    return out;
  };
  const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2))));
  std::tm out = {};
  out.tm_year = number(0, 4) - 1900;
  out.tm_mon = number(5, 2) - 1;
  out.tm_mday = number(8, 2);
  if (day.ok()) {
    const std::chrono::sys_days days(day), new_year(day.year() / std::chrono::January / 1);
    out.tm_wday = static_cast<int>(std::chrono::weekday(days).c_encoding());
    out.tm_yday = static_cast<int>((days - new_year).count());
  }
  return out;
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
  if (!options.date.empty()) LFM_TRY(check_date(options.date));
  made->date_ = options.date.empty() ? today() : options.date;
  if (!options.tools.empty()) {
    LFM_ASSIGN(made->options_.tools, read_tools(options.tools));
  }
  made->custom_ = options.custom;
  made->thinks_ = from_model || options.custom ? of_model.thinks : made->form_.drops_thinking;
  if (from_model && !options.custom) LFM_TRY(made->use(of_model, options));
  if (made->own_) return std::shared_ptr<const Template>(std::move(made));
  made->options_.preserve_thinking = options.preserve_thinking;
  made->options_.date = made->date_;
  if (made->date_.empty() && made->form_.date && !options.tools.empty() && !options.custom) {
    return Error{ErrorCode::kIo, "the system doesn't tell the date", "date"};
  }
  return std::shared_ptr<const Template>(std::move(made));
}

// The model's own template where it runs, and otherwise what it was recognised as.
Status Template::use(const FoundForm& found, const ChatOptions& options) {
  std::string problem = found.problem;
  if (found.own != nullptr) {
    OwnFormOptions own = {.tools = options.tools, .preserve_thinking = options.preserve_thinking};
    if (!options.date.empty()) {
      own.clock = jinja::Clock{beginning_of(options.date)};
    } else if (const auto local = base::local_time()) {
      own.clock = jinja::Clock{*local};
    }
    LFM_ASSIGN(OwnForm form, OwnForm::create(found.own, own));
    problem = form.problem(*tokenizer_);
    if (problem.empty()) {
      if (!options_.tools.empty() && !form.mentions("tools")) {
        notes_.push_back("the model's chat template has no place for tools: the model isn't told of them");
      }
      own_ = std::move(form);
      return {};
    }
  }
  if (!problem.empty()) {
    notes_.push_back(problem + ": messages are written as " + to_string(form_.name) + " has it");
  }
  if (!found.note.empty()) notes_.push_back(found.note);
  return {};
}

bool Template::needs_first_token(const Parts& written) const noexcept {
  if (!tokenizer_->bos()) return false;
  if (!own_) return tokenizer_->adds_bos() || (form_.first_token && !custom_);
  const std::string_view name = tokenizer_->piece(*tokenizer_->bos());
  const auto is = [&](const Part& part) { return part.token && part.text == name; };
  return tokenizer_->adds_bos() && std::none_of(written.all().begin(), written.all().end(), is);
}

Result<Parts> Template::parts(std::span<const Message> messages, bool generation_prompt) const {
  if (own_) return own_->write(messages, generation_prompt, *tokenizer_);
  if (!custom_) return chat::write(form_, options_, messages, generation_prompt, *tokenizer_);
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
  if (needs_first_token(written)) tokens.push_back(*tokenizer_->bos());
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
  if (needs_first_token(written)) text += tokenizer_->piece(*tokenizer_->bos());
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
