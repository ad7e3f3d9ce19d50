#include "jinja/template.h"

#include "base/try.h"
#include "jinja/machine.h"
#include "jinja/parser.h"

namespace lfm::jinja {
namespace {

// The line goes into the sentence: index and offset are the caller's.
Error told(Error error) {
  if (error.code != ErrorCode::kArgument && error.index != Error::kNone) {
    error.message += " in line " + std::to_string(error.index);
  }
  error.index = Error::kNone;
  return error;
}

}  // namespace

Template::~Template() = default;

Result<std::shared_ptr<const Template>> Template::parse(std::string_view source) {
  auto parsed = jinja::parse(source);
  if (!parsed.ok()) return told(std::move(parsed).error());
  std::shared_ptr<Template> made(new Template);
  made->parsed_ = std::make_unique<const Parsed>(*std::move(parsed));
  return std::shared_ptr<const Template>(std::move(made));
}

Result<Text> Template::render(const std::vector<std::pair<std::string, Value>>& variables, const Clock* clock,
                              const Limits& limits) const {
  auto text = Machine(*parsed_, limits, clock).run(variables);
  if (!text.ok()) return told(std::move(text).error());
  return text;
}

bool Template::mentions(std::string_view word) const {
  return parsed_->words.contains(word);
}

}  // namespace lfm::jinja
