// Items of a conversation to messages.
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/try.h"
#include "serve/openai/response.h"

namespace lfm::serve {
namespace {

constexpr std::array<std::string_view, 5> kTexts = {"input_text", "output_text", "text", "summary_text",
                                                    "reasoning_text"};

Result<std::string> needed(const Fields& fields, const char* name) {
  LFM_ASSIGN(auto text, fields.text(name));
  if (!text) return wrong(fields.name(name), "is missing");
  return *std::move(text);
}

// A text, or parts that are texts, one behind the other.
Result<std::string> text_of(const Fields& fields, const char* name) {
  const Json* const content = fields.find(name);
  if (content == nullptr) return std::string();
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array()) return wrong(fields.name(name), "expected a text or a list of parts");
  std::string out;
  for (std::size_t i = 0; i < content->size(); ++i) {
    const std::string place = fields.name(name) + "[" + std::to_string(i) + "]";
    if (!(*content)[i].is_object()) return wrong(place, "isn't an object");
    const Fields part((*content)[i], place + ".");
    LFM_ASSIGN(const std::string type, needed(part, "type"));
    const bool refusal = type == "refusal";
    if (!refusal && std::find(kTexts.begin(), kTexts.end(), type) == kTexts.end())
      return Error{ErrorCode::kUnsupported, "the model reads text alone, and no " + json_text(type), part.name("type")};
    LFM_ASSIGN(const std::string text, needed(part, refusal ? "refusal" : "text"));
    out += text;
  }
  return out;
}

// What the assistant did in one turn, thinking, text and calls, are items of their own; to the model it is one message.
class Conversation {
 public:
  Status add(const Json& item, const std::string& place) {
    if (!item.is_object()) return wrong(place, "isn't an object");
    const Fields fields(item, place + ".");
    LFM_ASSIGN(const auto said, fields.text("type"));
    const std::string type = said.value_or("message");
    if (type == "message") return add_message(fields);
    if (type == "reasoning") return add_thinking(fields);
    if (type == "function_call") return add_call(fields);
    if (type == "function_call_output") return add_result(fields);
    const std::string why =
        type == "item_reference"
            ? "lfm keeps no items that could be referred to; send the item itself"
            : "expected message, reasoning, function_call or function_call_output, not " + json_text(type);
    return Error{ErrorCode::kUnsupported, why, fields.name("type")};
  }

  void add(Role role, std::string content) {
    end_turn();
    messages_.push_back({role, std::move(content)});
  }

  std::vector<Message> take() {
    end_turn();
    return std::move(messages_);
  }

 private:
  Status add_message(const Fields& fields) {
    LFM_ASSIGN(const std::string role, needed(fields, "role"));
    LFM_ASSIGN(std::string content, text_of(fields, "content"));
    if (role == "assistant") {
      // Text behind calls is of their turn, text behind text is another one.
      if (!turn_.content.empty() && turn_.tool_calls.empty()) end_turn();
      turn_.content += content;
      open_ = true;
      return {};
    }
    if (role != "user" && role != "system" && role != "developer")
      return wrong(fields.name("role"), "expected user, assistant, system or developer, not " + json_text(role));
    add(role == "user" ? Role::kUser : Role::kSystem, std::move(content));
    return {};
  }

  Status add_thinking(const Fields& fields) {
    LFM_ASSIGN(const std::string content, text_of(fields, "content"));
    LFM_ASSIGN(const std::string summary, text_of(fields, "summary"));
    if (!turn_.content.empty() || !turn_.tool_calls.empty()) end_turn();
    turn_.reasoning += content.empty() ? summary : content;
    open_ = true;
    return {};
  }

  Status add_call(const Fields& fields) {
    LFM_ASSIGN(std::string name, needed(fields, "name"));
    LFM_ASSIGN(const auto space, fields.text("namespace"));
    if (space) name = *space + "." + name;
    LFM_ASSIGN(std::string arguments, needed(fields, "arguments"));
    const auto json = cli::parse_json(arguments);
    if (!json.ok() || !json->is_object()) return wrong(fields.name("arguments"), "isn't a JSON object");
    turn_.tool_calls.push_back({std::move(name), std::move(arguments)});
    open_ = true;
    return {};
  }

  Status add_result(const Fields& fields) {
    LFM_ASSIGN(std::string output, text_of(fields, "output"));
    add(Role::kTool, std::move(output));
    return {};
  }

  void end_turn() {
    if (!std::exchange(open_, false)) return;
    messages_.push_back(std::exchange(turn_, Message{.role = Role::kAssistant}));
  }

  std::vector<Message> messages_;
  Message turn_ = {.role = Role::kAssistant};
  bool open_ = false;  // there is something in it
};

}  // namespace

Result<std::vector<Message>> read_input(const Fields& fields, std::size_t most) {
  Conversation conversation;
  LFM_ASSIGN(const auto instructions, fields.text("instructions"));
  if (instructions && !instructions->empty()) conversation.add(Role::kSystem, *instructions);
  const Json* const input = fields.find("input");
  if (input == nullptr) return wrong("input", "is missing");
  if (input->is_string()) {
    conversation.add(Role::kUser, input->get<std::string>());
    return conversation.take();
  }
  LFM_ASSIGN(const Json* const items, fields.list("input", most));
  if (items->empty()) return wrong("input", "is empty");
  for (std::size_t i = 0; i < items->size(); ++i)
    LFM_TRY(conversation.add((*items)[i], "input[" + std::to_string(i) + "]"));
  return conversation.take();
}

}  // namespace lfm::serve
