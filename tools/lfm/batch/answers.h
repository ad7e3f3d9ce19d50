// The file that a batch's answers go to, a line each, in the order in which they are made. What is in it when the
// program is ended, however that comes, is what needn't be made again.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/descriptor.h"
#include "lfm/result.h"

namespace lfm::batch {

class Answers {
 public:
  // The file, or a new one. A last line that was cut short is taken off.
  //   kIo;   kState  another process is writing it;   kFormat  what is no answer, with its line
  static Result<Answers> open(const std::string& path);

  // Which requests are answered.
  const std::unordered_set<std::string>& ids() const noexcept { return ids_; }

  // Adds a line, which is in the file when it returns. kIo; then the file is as it was, as far as the system lets it
  // be.
  Status add(std::string_view line);

  // kIo: the disk doesn't have what was added
  Status sync();

 private:
  Answers(std::string path, int file) : path_(std::move(path)), file_(std::make_unique<base::Descriptor>(file)) {}
  Error failure() const;
  Status read();

  std::string path_;
  std::unique_ptr<base::Descriptor> file_;
  std::unordered_set<std::string> ids_;
  std::size_t bytes_ = 0;
};

}  // namespace lfm::batch
