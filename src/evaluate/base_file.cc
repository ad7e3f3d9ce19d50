#include "evaluate/base_file.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/try.h"
#include "evaluate/likeliest.h"
#include "evaluate/log_probabilities.h"

namespace lfm::evaluate {
namespace {

constexpr std::string_view kMagic = "_logits_", kOwnMagic = "_lfmtop_";
constexpr std::int32_t kMostWindow = 1 << 20, kMostVocabulary = 1 << 24, kMostWindows = 1 << 24;
constexpr unsigned kReadable = 0644;

struct Header {
  char magic[8];
  std::int32_t window;
  std::int32_t vocabulary;
  std::int32_t windows;
  std::int32_t likeliest;  // of our own kind alone

  bool is(std::string_view kind) const noexcept { return std::memcmp(magic, kind.data(), sizeof magic) == 0; }
};
constexpr std::size_t kHeaderBytes = 20, kOwnHeaderBytes = 24;
static_assert(sizeof(Header) == kOwnHeaderBytes);

// By its first bytes: one that was cut is of the kind too.
Result<bool> is_base_file(const std::string& path) {
  LFM_ASSIGN(const base::File file, base::File::open_read(path));
  Header header{};
  if (file.size() < sizeof header.magic) return false;
  LFM_TRY(file.read_at(0, std::as_writable_bytes(std::span(header.magic))));
  return header.is(kMagic) || header.is(kOwnMagic);
}

}  // namespace

std::size_t BaseShape::words() const noexcept {
  return likeliest == 0 ? row_words(vocabulary) : likeliest_words(likeliest);
}

std::uint64_t BaseShape::tokens_offset() const noexcept {
  return likeliest == 0 ? kHeaderBytes : kOwnHeaderBytes;
}

std::uint64_t BaseShape::rows_offset() const noexcept {
  return tokens_offset() + std::uint64_t{sizeof(TokenId)} * window * windows;
}

std::uint64_t BaseShape::window_bytes() const noexcept {
  return std::uint64_t{words()} * sizeof(std::uint16_t) * scored_tokens(window);
}

Result<BaseReader> BaseReader::open(const std::string& path) {
  LFM_ASSIGN(base::File file, base::File::open_read(path));
  const auto refused = [&](std::string message) {
    return Error{ErrorCode::kFormat, std::move(message), base::printable(path)};
  };
  Header header;
  if (file.size() < sizeof header) return refused("not a file of distributions");
  LFM_TRY(file.read_at(0, std::as_writable_bytes(std::span(&header, 1))));
  if (!header.is(kMagic) && !header.is(kOwnMagic)) return refused("not a file of distributions");
  if (header.is(kMagic)) header.likeliest = 0;
  const auto within = [](std::int32_t value, std::int32_t least, std::int32_t most) {
    return value >= least && value <= most;
  };
  if (!within(header.window, 4, kMostWindow) || !within(header.vocabulary, 1, kMostVocabulary) ||
      !within(header.windows, 1, kMostWindows) ||
      !within(header.likeliest, header.is(kMagic) ? 0 : 1, header.vocabulary)) {
    return refused("its sizes can't be right");
  }
  BaseReader reader(std::move(file));
  reader.shape_ = {static_cast<std::size_t>(header.window), static_cast<std::size_t>(header.vocabulary),
                   static_cast<std::size_t>(header.windows), static_cast<std::size_t>(header.likeliest)};
  const BaseShape& shape = reader.shape_;
  if (reader.file_.size() < shape.rows_offset() + shape.window_bytes() * shape.windows) return refused("it is cut");
  reader.tokens_.resize(shape.window * shape.windows);
  LFM_TRY(reader.file_.read_at(shape.tokens_offset(), std::as_writable_bytes(std::span(reader.tokens_))));
  const auto bad = std::find_if(reader.tokens_.begin(), reader.tokens_.end(),
                                [&](TokenId token) { return token < 0 || token >= header.vocabulary; });
  if (bad != reader.tokens_.end()) return refused("a token isn't in the vocabulary");
  return reader;
}

Status BaseReader::read(std::size_t window, std::span<std::uint16_t> rows) const {
  LFM_TRY(file_.read_at(shape_.rows_offset() + window * shape_.window_bytes(), std::as_writable_bytes(rows)));
  for (std::size_t at = 0; shape_.likeliest > 0 && at < rows.size(); at += shape_.words()) {
    if (!are_tokens(rows.subspan(at, shape_.words()), shape_.vocabulary))
      return Error{ErrorCode::kFormat, "a token isn't in the vocabulary", base::printable(file_.path())};
  }
  return {};
}

Result<BaseWriter> BaseWriter::create(const std::string& path, const BaseShape& shape,
                                      std::span<const TokenId> tokens) {
  LFM_TRY(base::AtomicFile::check_target(path));
  const bool replaces = base::exists(path);
  if (replaces) {
    LFM_ASSIGN(const bool ours, is_base_file(path));
    if (!ours) {
      return Error{ErrorCode::kArgument, "is there already, and isn't a file of distributions", base::printable(path)};
    }
  }
  LFM_ASSIGN(base::AtomicFile file,
             base::AtomicFile::create(path, shape.rows_offset() + shape.window_bytes() * shape.windows));
  Header header{};
  std::memcpy(header.magic, (shape.likeliest == 0 ? kMagic : kOwnMagic).data(), sizeof header.magic);
  header.window = static_cast<std::int32_t>(shape.window);
  header.vocabulary = static_cast<std::int32_t>(shape.vocabulary);
  header.windows = static_cast<std::int32_t>(shape.windows);
  header.likeliest = static_cast<std::int32_t>(shape.likeliest);
  LFM_TRY(file.write_at(0, std::as_bytes(std::span(&header, 1)).first(shape.tokens_offset())));
  LFM_TRY(file.write_at(shape.tokens_offset(), std::as_bytes(tokens)));
  using Existing = base::AtomicFile::Existing;
  return BaseWriter(std::move(file), replaces ? Existing::kReplace : Existing::kKeep, shape);
}

Status BaseWriter::write(std::size_t window, std::span<const std::uint16_t> rows) {
  return file_.write_at(shape_.rows_offset() + window * shape_.window_bytes(), std::as_bytes(rows));
}

Status BaseWriter::commit() {
  return file_.commit(kReadable, existing_);
}

}  // namespace lfm::evaluate
