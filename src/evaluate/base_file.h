// Files of distributions, as llama-perplexity's --kl-divergence-base writes and reads them:
//
//   "_logits_" | i32 window, vocabulary, windows | i32 token[windows][window]
//   for each window and each scored position: a row (log_probabilities.h)
//
// and files of our own, some hundred times smaller, with the likeliest tokens alone:
//
//   "_lfmtop_" | i32 window, vocabulary, windows, likeliest | i32 token[windows][window]
//   for each window and each scored position: a row (likeliest.h)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/file.h"
#include "lfm/result.h"
#include "lfm/types.h"

namespace lfm::evaluate {

// Tokens of a window that are scored.
constexpr std::size_t scored_tokens(std::size_t window) noexcept {
  return window - 1 - window / 2;
}

struct BaseShape {
  std::size_t window = 0;
  std::size_t vocabulary = 0;
  std::size_t windows = 0;
  std::size_t likeliest = 0;  // 0: llama-perplexity's kind

  std::size_t words() const noexcept;  // of a row, of 16 bits
  std::uint64_t tokens_offset() const noexcept;
  std::uint64_t rows_offset() const noexcept;
  std::uint64_t window_bytes() const noexcept;
};

class BaseReader {
 public:
  // kIo;   kFormat  not such a file, or cut
  static Result<BaseReader> open(const std::string& path);

  const BaseShape& shape() const noexcept { return shape_; }
  const std::vector<TokenId>& tokens() const noexcept { return tokens_; }
  // The rows of a window, one behind another.   kFormat  a likeliest token isn't in the vocabulary
  Status read(std::size_t window, std::span<std::uint16_t> rows) const;

 private:
  BaseReader(base::File file) : file_(std::move(file)) {}
  base::File file_;
  BaseShape shape_;
  std::vector<TokenId> tokens_;
};

class BaseWriter {
 public:
  // Another file of the kind is replaced, as llama-perplexity does.
  //   kArgument  something else is there
  static Result<BaseWriter> create(const std::string& path, const BaseShape& shape, std::span<const TokenId> tokens);
  Status write(std::size_t window, std::span<const std::uint16_t> rows);
  Status commit();

 private:
  BaseWriter(base::AtomicFile file, base::AtomicFile::Existing existing, const BaseShape& shape)
      : file_(std::move(file)), existing_(existing), shape_(shape) {}
  base::AtomicFile file_;
  base::AtomicFile::Existing existing_;
  BaseShape shape_;
};

}  // namespace lfm::evaluate
