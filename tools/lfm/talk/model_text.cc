#include "talk/model_text.h"

#include "io.h"
#include "talk/style.h"

namespace lfm::cli {

ModelText::ModelText() : terminal_(on_terminal()) {}

bool ModelText::write(std::string_view text) {
  if (!text.empty()) line_begun_ = text.back() != '\n';
  return (terminal_ ? write_out(text_.show(text)) : write_out(text)) && flush_out();
}

bool ModelText::finish() {
  return write_out(text_.finish()) && flush_out();
}

}  // namespace lfm::cli
