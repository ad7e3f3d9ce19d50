// Any conversation, tools and template: as many turns come out as there are messages, whatever these say. And any
// tokens as an answer: whole code points come out, and a message that its tokens say.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chat/answer_reader.h"
#include "chat/message.h"
#include "chat/structure.h"
#include "chat/template.h"
#include "tests/chat/chat_sample.h"
#include "text/utf8.h"

namespace {

using lfm::TokenId;
using lfm::chat::Template;
using lfm::text::Tokenizer;

std::vector<TokenId> tokens(FuzzedDataProvider& input, std::size_t most) {
  std::vector<TokenId> ids;
  while (ids.size() < most && input.remaining_bytes() > 0) ids.push_back(input.ConsumeIntegralInRange(-1, 4096));
  return ids;
}

lfm::Message message(FuzzedDataProvider& input, const Tokenizer& tokenizer) {
  lfm::Message message;
  message.role = static_cast<lfm::Role>(input.ConsumeIntegralInRange(0, 3));
  message.content = input.ConsumeRandomLengthString(200);
  if (message.role != lfm::Role::kAssistant) return message;
  message.reasoning = input.ConsumeRandomLengthString(60);
  if (input.ConsumeBool()) {
    std::string name = input.ConsumeRandomLengthString(20);
    message.tool_calls.push_back({std::move(name), input.ConsumeRandomLengthString(60)});
  }
  if (input.ConsumeBool()) message.tokens = tokenizer.encode(message.content, {}).value();
  const auto more = tokens(input, input.ConsumeIntegralInRange<std::size_t>(0, 8));
  message.tokens.insert(message.tokens.end(), more.begin(), more.end());
  return message;
}

// One turn may be added for tools that no system message is there for, one of an empty system message be left out, and
// one is begun for the answer.
void check(const Template& form, const std::vector<lfm::Message>& messages, bool prompt) {
  std::vector<std::size_t> begins;
  const auto ids = form.tokens(messages, prompt, &begins);
  if (ids.ok() != form.text(messages, prompt).ok()) std::abort();
  if (!ids.ok()) return;
  const auto count = [&](std::string_view name) {
    return std::count(ids->begin(), ids->end(), lfm::chat::find_token(form.tokenizer(), name));
  };
  const auto starts = count(lfm::chat::kTurnStart), ends = count(lfm::chat::kTurnEnd);
  const auto most = static_cast<std::ptrdiff_t>(messages.size()) + 1;
  const bool empty = !messages.empty() && messages[0].role == lfm::Role::kSystem && messages[0].content.empty();
  if (starts != ends + (prompt ? 1 : 0) || ends > most || ends < most - (empty ? 2 : 1)) std::abort();
  if (!std::is_sorted(begins.begin(), begins.end()) || (!begins.empty() && begins.back() >= ids->size())) std::abort();
  if (form.answer_begin(*ids) > ids->size()) std::abort();
}

class Checked final : public lfm::chat::MessageBuilder {
 public:
  using MessageBuilder::MessageBuilder;
  void piece(const lfm::Piece& piece) override {
    if (!lfm::text::is_utf8(piece.text)) std::abort();
    MessageBuilder::piece(piece);
  }
};

// `resumed` tokens of it were there before.
void read_answer(const Tokenizer& tokenizer, std::vector<TokenId> ids, std::size_t resumed) {
  std::erase_if(ids, [&](TokenId id) { return !tokenizer.vocabulary().contains(id); });
  resumed = std::min(resumed, ids.size());
  lfm::Message message;
  Checked pieces(message);
  lfm::chat::AnswerReader reader(tokenizer);
  reader.resume(std::span(ids).first(resumed));
  for (const TokenId id : std::span(ids).subspan(resumed)) reader.push(id, pieces);
  const bool whole = resumed == 0 && !reader.thinking() && !reader.in_call();
  reader.finish(pieces);
  if (reader.calls() < message.tool_calls.size()) std::abort();
  message.tokens = std::move(ids);
  const bool says_so = lfm::chat::says_so(tokenizer, message, false);
  const auto foreign = [&](TokenId id) { return tokenizer.ends_generation(id) || id == reader.structure().turn_start; };
  const auto& said = message.tokens;
  if (whole && !said.empty() && says_so == std::any_of(said.begin(), said.end(), foreign)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const auto tokenizer = lfm::chat::chat_tokenizer(static_cast<lfm::chat::Thinks>(input.ConsumeBool()));
  const auto found = lfm::chat::find_form(input.ConsumeRandomLengthString(300));
  lfm::ChatOptions options;
  options.form = static_cast<lfm::ChatForm>(input.ConsumeIntegralInRange(0, 3));
  options.tools = input.ConsumeRandomLengthString(200);
  options.date = input.ConsumeBool() ? input.ConsumeRandomLengthString(12) : "2026-11-22";
  options.preserve_thinking = input.ConsumeBool();
  auto form = Template::create(tokenizer, found, options);
  if (!form.ok()) {
    options.tools.clear();
    options.date = "2026-11-22";
    form = Template::create(tokenizer, found, options);
    if (!form.ok()) std::abort();
  }
  std::vector<lfm::Message> messages(input.ConsumeIntegralInRange<std::size_t>(0, 5));
  for (lfm::Message& each : messages) each = message(input, *tokenizer);
  check(**form, messages, true);
  check(**form, messages, false);
  const std::size_t resumed = input.ConsumeIntegralInRange<std::size_t>(0, 20);
  read_answer(*tokenizer, tokens(input, 400), resumed);
  return 0;
}
