#include <algorithm>
#include <iterator>

#include "chat/form.h"
#include "chat/structure.h"

namespace lfm::chat {
namespace {

constexpr std::string_view kThinkTags[] = {kThinkStart, kThinkEnd};

// Whether the beginning of an answer, a template's last words, begins its thinking as well. One that may also end it at
// once writes both tags: then an answer thinks by itself.
bool opens_thinking(std::string_view text) noexcept {
  const std::size_t prompt = text.rfind("add_generation_prompt");
  if (prompt == std::string_view::npos) return false;
  const std::string_view rest = text.substr(prompt);
  return rest.find(kThinkStart) != std::string_view::npos && rest.find(kThinkEnd) == std::string_view::npos;
}

}  // namespace

Form Form::of(ChatForm name) {
  switch (name) {
    case ChatForm::kLfm2:
      return {.name = name, .first_token = true, .tool_tokens = true, .response_tokens = true, .gap = "\n"};
    case ChatForm::kLfm25:
      return {.name = name, .first_token = true, .date = true, .drops_thinking = true};
    case ChatForm::kChatMl:
    case ChatForm::kFromModel:
      break;
  }
  return {};
}

FoundForm find_form(std::optional<std::string_view> chat_template) {
  const Form chatml = Form::of(ChatForm::kChatMl);
  if (!chat_template) return {chatml, "the model's file has no chat template: ChatML is used"};
  const auto has = [&](std::string_view what) { return chat_template->find(what) != std::string_view::npos; };
  if (!has(kTurnStart)) return {chatml, "the model's chat template isn't of a known kind: ChatML is used"};
  Form form = chatml;
  form.first_token = has("bos_token") || has("<|startoftext|>");
  form.response_tokens = has("<|tool_response_start|>");
  form.drops_thinking = has(kThinkEnd);
  form.opens_thinking = opens_thinking(*chat_template);
  if (!has("List of tools: ")) {
    return {form, has("tools") ? "the model's chat template describes tools in a way that isn't known" : ""};
  }
  form.tool_tokens = has("<|tool_list_start|>");
  form.date = has("Today's date: ");
  form.name = form.tool_tokens ? ChatForm::kLfm2 : ChatForm::kLfm25;
  if (!form.date) form.gap = "\n";
  return {form};
}

FoundForm read_template(std::optional<std::string_view> chat_template) {
  FoundForm found = find_form(chat_template);
  if (!chat_template) return found;
  found.thinks = std::any_of(std::begin(kThinkTags), std::end(kThinkTags),
                             [&](std::string_view tag) { return chat_template->find(tag) != std::string_view::npos; });
  auto own = jinja::Template::parse(*chat_template);
  if (own.ok()) {
    found.own = *std::move(own);
  } else {
    found.problem = "the model's chat template can't be run: " + std::move(own).error().message;
  }
  return found;
}

}  // namespace lfm::chat
