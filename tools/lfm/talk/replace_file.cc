#include "talk/replace_file.h"

#include <span>

#include "base/atomic_file.h"
#include "base/try.h"

namespace lfm::cli {

Status can_replace_file(const std::string& path) {
  LFM_ASSIGN(const base::AtomicFile held, base::AtomicFile::create(path, 0));
  return {};
}

Status replace_file(const std::string& path, std::string_view bytes, unsigned mode) {
  LFM_ASSIGN(base::AtomicFile file, base::AtomicFile::create(path, 0));
  LFM_TRY(file.write_at(0, std::as_bytes(std::span(bytes))));
  return file.commit(mode, base::AtomicFile::Existing::kReplace);
}

}  // namespace lfm::cli
