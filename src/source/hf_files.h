// The files of a Hugging Face folder, which may come from anywhere: names that an index gives are names of files in
// that folder, and links lead nowhere but into it or to where Hugging Face's cache keeps its files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "json/value.h"
#include "lfm/result.h"

namespace lfm::source {

class HfFolder {
 public:
  static Result<HfFolder> open(const std::string& path);

  // Of the model, for people: the folder's, or in the cache the repository's.
  std::string name() const;

  // kIo where there is none.
  Result<base::File> file(const std::string& name) const;
  bool has(const std::string& name) const;

  // The whole of a text file, or nothing where it isn't there.   kLimit
  Result<std::optional<std::string>> text(const std::string& name) const;
  // Likewise JSON, an object.
  Result<std::optional<json::Value>> json(const std::string& name) const;
  Result<json::Value> require_json(const std::string& name) const;

 private:
  HfFolder(std::string path, std::string real, std::string blobs)
      : path_(std::move(path)), real_(std::move(real)), blobs_(std::move(blobs)) {}

  std::string path_;   // as it was given
  std::string real_;   // resolved
  std::string blobs_;  // of the cache that it is in, or empty
};

}  // namespace lfm::source
