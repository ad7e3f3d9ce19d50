#include "batch/answers.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "base/try.h"
#include "serve/fields.h"
#include "talk/json_text.h"

namespace lfm::batch {

Error Answers::failure() const {
  return Error{ErrorCode::kIo, std::strerror(errno), path_};
}

Result<Answers> Answers::open(const std::string& path) {
  Answers out(path, ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (out.file_->get() < 0) return out.failure();
  if (::flock(out.file_->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return out.failure();
    return Error{ErrorCode::kState, "another lfm batch is writing it", path};
  }
  LFM_TRY(out.read());
  return out;
}

Status Answers::read() {
  std::ifstream file(path_, std::ios::binary);
  if (!file) return failure();
  std::string text;
  for (std::size_t line = 1; std::getline(file, text); ++line) {
    if (file.eof()) break;  // without its end
    bytes_ += text.size() + 1;
    const auto json = cli::parse_json(text);
    const auto id = json.ok() && json->is_object() ? serve::Fields(*json).text("custom_id")
                                                   : Result<std::optional<std::string>>(std::nullopt);
    if (!id.ok() || !*id) {
      return Error{ErrorCode::kFormat,
                   "line " + std::to_string(line) + " isn't an answer of a batch; name another file", path_};
    }
    ids_.insert(**id);
  }
  if (file.bad()) return failure();
  return ::ftruncate(file_->get(), static_cast<off_t>(bytes_)) == 0 ? Status() : failure();
}

Status Answers::add(std::string_view line) {
  if (base::write_all(file_->get(), line)) {
    bytes_ += line.size();
    return {};
  }
  const Error error = failure();
  (void)!::ftruncate(file_->get(), static_cast<off_t>(bytes_));
  return error;
}

Status Answers::sync() {
  return ::fdatasync(file_->get()) == 0 ? Status() : failure();
}

}  // namespace lfm::batch
