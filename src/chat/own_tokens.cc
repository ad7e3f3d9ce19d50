#include "chat/own_tokens.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "chat/message.h"
#include "chat/structure.h"

namespace lfm::chat {
namespace {

using jinja::Origin;
using jinja::Text;
using text::Vocabulary;

// An answer among the parts of a conversation.
struct Turn {
  std::size_t begin = 0;   // the part that it begins in
  std::size_t offset = 0;  // and where in its text
  std::size_t end = 0;     // the part with the token that ends it
};

std::vector<Turn> answers_in(const std::vector<Part>& parts) {
  const std::string header = to_string(Role::kAssistant) + std::string("\n");
  std::vector<Turn> out;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (!parts[i].token || parts[i].text != kTurnStart || parts[i + 1].token) continue;
    // Who wrote the header changes within it.
    std::string text;
    std::size_t last = i;
    while (text.size() < header.size() && last + 1 < parts.size() && !parts[last + 1].token) text += parts[++last].text;
    if (!text.starts_with(header)) continue;
    Turn turn = {.begin = last, .offset = parts[last].text.size() - (text.size() - header.size()), .end = last + 1};
    while (turn.end < parts.size() && !(parts[turn.end].token && parts[turn.end].text == kTurnEnd)) ++turn.end;
    if (turn.end < parts.size()) out.push_back(turn);
  }
  return out;
}

// The tokens of a turn's answer; empty where the text is too long to be cut.
std::vector<TokenId> tokens_in(const std::vector<Part>& parts, const Turn& turn, const text::Tokenizer& tokenizer) {
  std::vector<TokenId> out;
  std::string plain = parts[turn.begin].text.substr(turn.offset);
  const auto end_plain = [&] {
    const Status status = tokenizer.encode(plain, {.added_tokens = text::AddedTokens::kNone}, out);
    plain.clear();
    return status.ok();
  };
  for (std::size_t i = turn.begin + 1; i < turn.end; ++i) {
    if (!parts[i].token) {
      plain += parts[i].text;
      continue;
    }
    if (!end_plain()) return {};
    out.push_back(find_token(tokenizer, parts[i].text));
  }
  return end_plain() ? out : std::vector<TokenId>();
}

bool thinks(const std::vector<Part>& parts, const Turn& turn) {
  if (parts[turn.begin].text.find(kThinkStart, turn.offset) != std::string::npos) return true;
  return std::any_of(parts.begin() + static_cast<std::ptrdiff_t>(turn.begin) + 1,
                     parts.begin() + static_cast<std::ptrdiff_t>(turn.end),
                     [](const Part& part) { return part.text.find(kThinkStart) != std::string::npos; });
}

// Whether the tokens may stand for what is written of the message in this turn: both say what its fields say. Thinking
// that the template has left out, even one without a word, isn't brought back behind a later question.
bool may_stand(const std::vector<Part>& parts, const Turn& turn, const Message& message, bool past,
               const text::Tokenizer& tokenizer) {
  if (message.tokens.empty()) return false;
  Message written = message;
  written.tokens = tokens_in(parts, turn, tokenizer);
  const bool without_thinking = past && !thinks(parts, turn);
  return says_so(tokenizer, written, false) && says_so(tokenizer, message, without_thinking);
}

}  // namespace

std::optional<Text> said_text(const text::Tokenizer& tokenizer, const Message& message, SaidParts parts) {
  const Structure structure(tokenizer);
  const bool thinks = !message.reasoning.empty();
  if (thinks && !parts.thinking && structure.think_start == Vocabulary::kNone) return std::nullopt;
  Text out;
  bool in_thinking = false, in_call = false;
  for (const TokenId token : message.tokens) {
    in_thinking |= token == structure.think_start;
    in_call |= token == structure.call_start;
    if ((parts.thinking || !in_thinking) && (parts.calls || !in_call)) {
      const text::TokenType type = tokenizer.vocabulary().type(token);
      const bool plain = type != text::TokenType::kControl && type != text::TokenType::kUserDefined;
      out.append(tokenizer.piece(token), plain ? Origin::kData : Origin::kTemplate);
    }
    if (token == structure.think_end) in_thinking = false;
    if (token == structure.call_end) in_call = false;
  }
  return out;
}

Parts with_own_tokens(Parts written, std::span<const Message> messages, const text::Tokenizer& tokenizer) {
  const bool any = std::any_of(messages.begin(), messages.end(), [](const Message& m) { return !m.tokens.empty(); });
  if (!any) return written;
  const std::vector<Part>& parts = written.all();
  const std::vector<Turn> turns = answers_in(parts);
  std::vector<std::size_t> answers;  // the messages
  std::size_t last_user = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].role == Role::kAssistant) answers.push_back(i);
    if (messages[i].role == Role::kUser) last_user = i;
  }
  if (answers.size() != turns.size()) return written;  // which turn is whose can't be told
  Parts out;
  std::size_t at = 0;
  const auto copy_to = [&](std::size_t end) {
    for (; at < end; ++at) out.add(parts[at]);
  };
  for (std::size_t i = 0; i < turns.size(); ++i) {
    const Message& message = messages[answers[i]];
    if (!may_stand(parts, turns[i], message, answers[i] < last_user, tokenizer)) continue;
    copy_to(turns[i].begin);
    out.text(parts[at].text.substr(0, turns[i].offset));
    out.ids(message.tokens);
    at = turns[i].end;
  }
  copy_to(parts.size());
  return out;
}

}  // namespace lfm::chat
