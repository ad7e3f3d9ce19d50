// The cache of packed weights: a folder with one packed file for each model that was opened with it.
//
// A file is named after the model's real path, the backend and the type that floats become, so that a model's new
// version replaces the old one's. It is used only if it was made from exactly the files that lie there now
// (format::PackSource), for this layout, and if it belongs to this user or root and nobody else may write to it.
// Anything else is written anew.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/background.h"
#include "base/file.h"
#include "engine/load/model_file.h"
#include "format/pack_file.h"
#include "format/pack_writer.h"
#include "lfm/result.h"

namespace lfm::engine {

// What a cached file has to be.
struct CacheKey {
  std::string path;    // of the cached file
  std::string origin;  // real path of the model's first file
  format::PackLayout layout;
  format::PackSource source;
  std::vector<std::byte> identity;
  std::uint64_t weights_bytes = 0;

  // Makes the folder if need be. kIo
  // `weights`: what matrices of floats have become.
  static Result<CacheKey> of(const std::string& folder, const ModelFile& model, const format::PackLayout& layout,
                             std::optional<WeightType> weights, std::uint64_t weights_bytes);
};

// Nothing where there is no such file or it isn't fit for use.
std::optional<PackedFile> open_cached(const CacheKey& key);

// Writes a cached file in the background, at the lowest priority, while the weights are in use.
class CacheWriter {
 public:
  // `weights` must outlive the writer. Never waits.
  //   kState  another process is writing this file;   kIo, kNoMemory
  static Result<std::unique_ptr<CacheWriter>> start(const CacheKey& key, std::span<const std::byte> weights);

  CacheWriter(const CacheWriter&) = delete;
  CacheWriter& operator=(const CacheWriter&) = delete;
  ~CacheWriter();  // as finish()

  // Helps with what is left, at the caller's priority, and waits for the end; from any number of threads. kIo where
  // the file wasn't written.
  Status finish();

 private:
  explicit CacheWriter(format::PackWriter writer) : writer_(std::move(writer)) {}
  void write_chunks() noexcept;
  void end(Status status) noexcept;

  format::PackWriter writer_;
  std::atomic<std::uint64_t> next_ = 0;  // chunk
  std::atomic<std::uint64_t> done_ = 0;  // chunks
  std::mutex mutex_;                     // of status_
  Status status_;
  std::atomic<bool> ended_ = false;         // committed or failed, as status_ says
  std::optional<base::Background> thread_;  // the last member: it ends before the others go
};

}  // namespace lfm::engine
