#include "talk/model_text.h"

#include "io.h"

namespace lfm::cli {

ModelText::ModelText(const TextStyle& style) : terminal_(on_terminal()), style_(style) {}

bool ModelText::write(std::string_view text) {
  if (!text.empty()) line_begun_ = text.back() != '\n';
  if (!terminal_) return print(text);
  if (!markdown_) markdown_.emplace(style_.columns, style_.markdown);
  return print(markdown_->show(text_.show(text)));
}

bool ModelText::write_as_is(std::string_view text) {
  if (!finish()) return false;
  if (!text.empty()) line_begun_ = text.back() != '\n';
  return print(terminal_ ? shown(text) : std::string(text));
}

bool ModelText::finish() {
  std::string rest = text_.finish();
  if (markdown_) rest = markdown_->show(rest) + markdown_->finish();
  markdown_.reset();
  return print(rest);
}

bool ModelText::print(std::string_view text) {
  return write_out(text) && flush_out();
}

}  // namespace lfm::cli
