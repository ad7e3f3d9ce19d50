// GGUF files as a source.
#pragma once

#include <memory>
#include <vector>

#include "base/file.h"
#include "format/gguf.h"
#include "lfm/result.h"
#include "source/identity.h"
#include "source/source.h"

namespace lfm::source {

// A file or, if it is a part of a split one, all parts.
Result<std::unique_ptr<Source>> open_gguf(base::File file);
Result<std::unique_ptr<Source>> restore_gguf(const Identity& identity);

// Of parts that were read already, in order. kFormat where they don't belong together.
Result<std::unique_ptr<Source>> source_of(std::vector<format::Gguf> parts);

}  // namespace lfm::source
