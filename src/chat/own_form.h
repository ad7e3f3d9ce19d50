// The form that a model's own chat template writes, by running it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "chat/parts.h"
#include "jinja/template.h"
#include "lfm/chat.h"
#include "text/tokenizer.h"

namespace lfm::chat {

struct OwnFormOptions {
  std::string tools = {};  // a JSON array of objects, or nothing
  std::optional<jinja::Clock> clock = {};
  bool preserve_thinking = false;
};

// Immutable.
class OwnForm {
 public:
  // kArgument: `tools` isn't JSON.
  static Result<OwnForm> create(std::shared_ptr<const jinja::Template> chat_template, const OwnFormOptions& options);

  // Nothing, or why conversations of the plainest kinds can't be written with it.
  std::string problem(const text::Tokenizer& tokenizer) const;

  bool mentions(std::string_view word) const { return template_->mentions(word); }

  // The whole conversation; what the template itself spells as tokens are such, and nothing else is. Where an answer's
  // own tokens say what is written of it, they stand in its place. kArgument: a call that can't be written (index: the
  // message), or a conversation that the template refuses; kUnsupported, kLimit: the template fails.
  Result<Parts> write(std::span<const Message> messages, bool generation_prompt,
                      const text::Tokenizer& tokenizer) const;

 private:
  OwnForm() = default;
  Result<jinja::Text> run(std::span<const Message> messages, bool generation_prompt,
                          const text::Tokenizer& tokenizer) const;
  Result<jinja::Value> value_of(const Message& message, std::size_t index, const text::Tokenizer& tokenizer) const;

  std::shared_ptr<const jinja::Template> template_;
  jinja::Value tools_ = jinja::Value::none();
  std::optional<jinja::Clock> clock_;
  bool preserve_thinking_ = false;
  bool knows_thinking_ = false;  // as a field of its own
  bool knows_calls_ = false;
};

}  // namespace lfm::chat
