#include "source/source.h"

#include <utility>

#include "base/try.h"
#include "source/gguf_source.h"
#include "source/hf_source.h"
#include "source/identity.h"

namespace lfm::source {

Result<std::unique_ptr<Source>> open(base::File file) {
  return open_gguf(std::move(file));
}

Result<std::unique_ptr<Source>> restore(std::span<const std::byte> bytes) {
  LFM_ASSIGN(const Identity identity, Identity::read(bytes));
  switch (identity.format) {
    case Format::kGguf:
      return restore_gguf(identity);
    case Format::kHuggingFace:
      return restore_folder(identity);
  }
  return Error{ErrorCode::kFormat, "the packed file's source has an unknown format", "source"};
}

}  // namespace lfm::source
