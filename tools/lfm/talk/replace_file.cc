#include "talk/replace_file.h"

#include <span>

#include "base/atomic_file.h"
#include "base/try.h"

namespace lfm::cli {

Status replace_file(const std::string& path, std::string_view bytes) {
  LFM_ASSIGN(base::AtomicFile file, base::AtomicFile::create(path, 0));
  LFM_TRY(file.write_at(0, std::as_bytes(std::span(bytes))));
  return file.commit(0600, base::AtomicFile::Existing::kReplace);
}

}  // namespace lfm::cli
