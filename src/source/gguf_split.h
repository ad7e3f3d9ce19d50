// Split GGUF files as llama-gguf-split writes them: PREFIX-00001-of-00003.gguf and so on, each with tensors of its own.
// The first has all metadata; split.no (from 0), split.count and split.tensors.count are in each.
#pragma once

#include <span>
#include <vector>

#include "base/file.h"
#include "format/gguf.h"
#include "lfm/result.h"

namespace lfm::source {

// The file alone where it isn't split. Else all parts, which lie beside it, in order; `files` gets them.
//   kFormat  it doesn't have a part's name, or a part's numbers aren't those of its name
//   kIo      a part is missing; from the files
//   kLimit   more than 1,000 parts
Result<std::vector<format::Gguf>> read_parts(base::File file, std::vector<base::File>& files);

// kFormat where these aren't all parts of a file in order.
Status check_parts(std::span<const format::Gguf> parts);

}  // namespace lfm::source
