#include "serve/http/application.h"

#include "serve/http/words.h"

namespace lfm::serve {

std::string_view Request::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers) {
    if (same_word(key, name)) return value;
  }
  return {};
}

}  // namespace lfm::serve
