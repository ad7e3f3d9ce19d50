#include "engine/session/saved_session.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "base/checksum.h"
#include "base/file.h"
#include "base/try.h"

namespace lfm::engine {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as the file has them");

constexpr unsigned kOwnerOnly = 0600;
constexpr std::uint64_t kSumBytes = sizeof(std::uint64_t);

template <typename T>
std::span<const std::byte> bytes_of(const T& values) {
  return std::as_bytes(std::span(values));
}

std::uint64_t sum_of(SavedHeader header) {
  header.sum = 0;
  return base::checksum(std::as_bytes(std::span(&header, 1)));
}

using TypeName = char[sizeof SavedHeader::key_type];

void write_type(kernels::KvType type, TypeName& name) {
  std::string_view(kernels::to_string(type)).copy(name, sizeof name);
}

// nullopt: none that is known.
std::optional<kernels::KvType> read_type(const TypeName& name) {
  for (const auto type : {kernels::KvType::kF16, kernels::KvType::kQ8_0}) {
    TypeName known{};
    write_type(type, known);
    if (std::memcmp(name, known, sizeof name) == 0) return type;
  }
  return std::nullopt;
}

std::string names_of(kernels::KvFormat format) {
  const std::string keys = kernels::to_string(format.keys), values = kernels::to_string(format.values);
  return keys == values ? keys : keys + " and " + values;
}

// The header of a session of these sizes; its sizes are small enough for the products not to wrap.
SavedHeader header_of(const model::State& state, std::uint64_t fingerprint, std::uint64_t tokens,
                      std::uint64_t snapshots, std::uint64_t logits, std::uint64_t tokens_sum) {
  SavedHeader header{};
  std::memcpy(header.magic, SavedHeader::kMagic, sizeof header.magic);
  header.version = SavedHeader::kVersion;
  header.kv_block = kernels::kKvBlock;
  header.fingerprint = fingerprint;
  header.tokens = tokens;
  header.snapshots = snapshots;
  header.logits = logits;
  header.conv_floats = state.all_conv().size();
  const kernels::KvFormat format = state.kv().format();
  write_type(format.keys, header.key_type);
  if (format.values != format.keys) write_type(format.values, header.value_type);
  header.pages = model::KvCache::pages_of(tokens);
  header.page_bytes = state.kv().page_bytes();
  const std::uint64_t conv_bytes = header.conv_floats * sizeof(float) + kSumBytes;
  header.file_bytes = sizeof header + tokens * sizeof(TokenId) + kSumBytes + snapshots * sizeof(std::uint64_t) +
                      kSumBytes + logits * sizeof(float) + kSumBytes + (1 + snapshots) * conv_bytes +
                      header.pages * (header.page_bytes + kSumBytes);
  header.tokens_sum = tokens_sum;
  header.sum = sum_of(header);
  return header;
}

// Writes sections one after another.
class Writer {
 public:
  Writer(const base::AtomicFile& file, std::uint64_t seed) : file_(file), seed_(seed) {}

  Status section(std::span<const std::byte> bytes) {
    const std::uint64_t sum = base::checksum(bytes, seed_ + at_);
    LFM_TRY(file_.write_at(at_, bytes));
    LFM_TRY(file_.write_at(at_ + bytes.size(), std::as_bytes(std::span(&sum, 1))));
    at_ += bytes.size() + kSumBytes;
    return {};
  }

 private:
  const base::AtomicFile& file_;
  std::uint64_t seed_;
  std::uint64_t at_ = sizeof(SavedHeader);
};

Error wrong(std::string message, std::string field, std::uint64_t offset, std::uint64_t index = Error::kNone) {
  return Error{ErrorCode::kFormat, std::move(message), std::move(field), index, offset};
}

// Reads them again.
class Reader {
 public:
  Reader(const SavedBytes& source, std::uint64_t seed) : source_(source), seed_(seed) {}

  Status section(const char* name, std::span<std::byte> out, std::uint64_t index = Error::kNone) {
    begin_ = at_;
    std::uint64_t sum = 0;
    LFM_TRY(source_.read(at_, out));
    LFM_TRY(source_.read(at_ + out.size(), std::as_writable_bytes(std::span(&sum, 1))));
    if (sum != base::checksum(out, seed_ + at_)) return wrong("damaged: the checksum is another", name, at_, index);
    at_ += out.size() + kSumBytes;
    return {};
  }

  Status floats(const char* name, std::span<float> out, std::uint64_t index = Error::kNone) {
    LFM_TRY(section(name, std::as_writable_bytes(out), index));
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (!std::isfinite(out[i])) return wrong("isn't a finite number", name, begin_ + i * sizeof(float), i);
    }
    return {};
  }

  Status page(const char* name, const model::KvCache& cache, std::size_t i) {
    LFM_TRY(section(name, {cache.page(i), cache.page_bytes()}, i));
    if (const auto at = cache.find_not_finite(cache.page(i)))
      return wrong("isn't a finite number", name, begin_ + *at, i);
    return {};
  }

  std::uint64_t begin() const noexcept { return begin_; }  // of the last section

 private:
  const SavedBytes& source_;
  std::uint64_t seed_;
  std::uint64_t at_ = sizeof(SavedHeader);
  std::uint64_t begin_ = 0;
};

Result<SavedHeader> read_header(const SavedBytes& source) {
  SavedHeader header;
  if (source.bytes < sizeof header) return wrong("the file is truncated", "header", source.bytes);
  LFM_TRY(source.read(0, std::as_writable_bytes(std::span(&header, 1))));
  if (std::memcmp(header.magic, SavedHeader::kMagic, sizeof header.magic) != 0)
    return wrong("not a saved session", "magic", 0);
  if (header.version != SavedHeader::kVersion) {
    return Error{ErrorCode::kUnsupported,
                 "version " + std::to_string(header.version) + " of saved sessions can't be read, version " +
                     std::to_string(SavedHeader::kVersion) + " can",
                 "version", Error::kNone, offsetof(SavedHeader, version)};
  }
  if (header.sum != sum_of(header))
    return wrong("damaged: the checksum is another", "header", offsetof(SavedHeader, sum));
  return header;
}

Status check_types(const SavedHeader& header, kernels::KvFormat wanted) {
  const auto keys = read_type(header.key_type);
  const auto values = header.value_type[0] == '\0' ? keys : read_type(header.value_type);
  const auto refused = [](ErrorCode code, std::string message) {
    return Error{code, std::move(message), "key_type", Error::kNone, offsetof(SavedHeader, key_type)};
  };
  if (!keys || !values) return refused(ErrorCode::kUnsupported, "keys and values are of a type that isn't known");
  const kernels::KvFormat saved{*keys, *values};
  if (saved == wanted) return {};
  return refused(ErrorCode::kArgument,
                 "keys and values are " + names_of(saved) + ", the session's are " + names_of(wanted));
}

// Sizes are held against those of a session of this model before anything is computed or sized by them.
Status check_header(const SavedHeader& header, const SavedBytes& source, const SavedModel& model, std::size_t room,
                    const model::State& state) {
  if (header.fingerprint != model.fingerprint) {
    return Error{ErrorCode::kArgument, "it was saved with another model, or with other weights of it", "fingerprint",
                 Error::kNone, offsetof(SavedHeader, fingerprint)};
  }
  if (header.tokens > room) {
    return Error{ErrorCode::kLimit, std::to_string(header.tokens) + " tokens in a context of " + std::to_string(room),
                 "tokens", Error::kNone, offsetof(SavedHeader, tokens)};
  }
  LFM_TRY(check_types(header, state.kv().format()));
  if (header.snapshots > header.tokens)
    return wrong("more snapshots than tokens", "snapshots", offsetof(SavedHeader, snapshots));
  if (header.logits != 0 && (header.logits != model.config.vocab || header.tokens == 0))
    return wrong("not the size of the vocabulary", "logits", offsetof(SavedHeader, logits));
  const SavedHeader expected =
      header_of(state, model.fingerprint, header.tokens, header.snapshots, header.logits, header.tokens_sum);
  if (std::memcmp(&header, &expected, sizeof header) != 0)
    return wrong("its sizes contradict each other", "header", offsetof(SavedHeader, kv_block));
  if (source.bytes != header.file_bytes) {
    return wrong("the file is truncated or longer than written: " + std::to_string(source.bytes) + " bytes, not " +
                     std::to_string(header.file_bytes),
                 "file", std::min(source.bytes, header.file_bytes));
  }
  return {};
}

Status read_tokens(Reader& reader, std::size_t vocab, std::uint64_t tokens_sum, std::vector<TokenId>& tokens) {
  LFM_TRY(reader.section("tokens", std::as_writable_bytes(std::span(tokens))));
  if (base::checksum(bytes_of(tokens)) != tokens_sum)
    return wrong("not those of the header", "tokens", offsetof(SavedHeader, tokens_sum));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0 || static_cast<std::size_t>(tokens[i]) >= vocab)
      return wrong("isn't in the vocabulary", "tokens", reader.begin() + i * sizeof(TokenId), i);
  }
  return {};
}

Status read_positions(Reader& reader, std::size_t tokens, std::vector<std::uint64_t>& positions) {
  LFM_TRY(reader.section("positions", std::as_writable_bytes(std::span(positions))));
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    if (positions[i] <= before || positions[i] > tokens)
      return wrong("out of order or behind the end", "positions", reader.begin() + i * sizeof(std::uint64_t), i);
    before = positions[i];
  }
  return {};
}

}  // namespace

Status save_timeline(const Timeline& timeline, std::uint64_t fingerprint, const std::string& path) {
  std::vector<std::uint64_t> positions;
  for (std::size_t i = 0; i < timeline.snapshots.size(); ++i) positions.push_back(timeline.snapshots.at(i).position);
  const std::span<const float> logits(timeline.logits.data(), timeline.logits_valid ? timeline.vocab : 0);
  const SavedHeader header = header_of(timeline.state, fingerprint, timeline.tokens.size(), positions.size(),
                                       logits.size(), base::checksum(bytes_of(timeline.tokens)));

  LFM_TRY(base::AtomicFile::check_target(path));
  LFM_ASSIGN(base::AtomicFile file, base::AtomicFile::create(path, header.file_bytes));
  LFM_TRY(file.write_at(0, std::as_bytes(std::span(&header, 1))));
  Writer writer(file, header.sum);
  LFM_TRY(writer.section(bytes_of(timeline.tokens)));
  LFM_TRY(writer.section(bytes_of(positions)));
  LFM_TRY(writer.section(bytes_of(logits)));
  LFM_TRY(writer.section(bytes_of(timeline.state.all_conv())));
  for (std::size_t i = 0; i < positions.size(); ++i) LFM_TRY(writer.section(bytes_of(timeline.snapshots.at(i).conv)));
  std::vector<std::byte> page(header.page_bytes);
  for (std::size_t i = 0; i < header.pages; ++i) {
    timeline.state.kv().copy_page(i, timeline.tokens.size() - i * kernels::kKvBlock, page.data());
    LFM_TRY(writer.section(page));
  }
  return file.commit(kOwnerOnly, base::AtomicFile::Existing::kReplace);
}

Result<Timeline> load_timeline(const SavedBytes& source, const SavedModel& model, std::size_t room,
                               std::size_t snapshot_bytes) {
  LFM_ASSIGN(const SavedHeader header, read_header(source));
  // Memory that nobody touches yet.
  LFM_ASSIGN(Timeline timeline, Timeline::create(model.config, room, snapshot_bytes, model.cache, model.draft));
  LFM_TRY(check_header(header, source, model, room, timeline.state));

  Reader reader(source, header.sum);
  timeline.tokens.resize(header.tokens);
  LFM_TRY(read_tokens(reader, model.config.vocab, header.tokens_sum, timeline.tokens));
  std::vector<std::uint64_t> positions(header.snapshots);
  LFM_TRY(read_positions(reader, timeline.tokens.size(), positions));
  LFM_TRY(reader.floats("logits", std::span(timeline.logits).first(header.logits)));
  timeline.logits_valid = header.logits != 0;
  std::vector<float> conv(header.conv_floats);
  LFM_TRY(reader.floats("state", conv));
  LFM_TRY(timeline.state.make_room(timeline.tokens.size()));
  timeline.state.rewind(timeline.tokens.size(), conv);
  timeline.state.skip_draft();
  for (std::size_t i = 0; i < positions.size(); ++i) {
    LFM_TRY(reader.floats("snapshots", conv, i));
    std::copy(conv.begin(), conv.end(), timeline.snapshots.add(positions[i]).begin());
  }
  for (std::size_t i = 0; i < header.pages; ++i) LFM_TRY(reader.page("keys and values", timeline.state.kv(), i));
  return timeline;
}

Result<Timeline> load_timeline(const std::string& path, const SavedModel& model, std::size_t room,
                               std::size_t snapshot_bytes) {
  LFM_ASSIGN(const base::File file, base::File::open_read(path));
  return load_timeline({file.size(), [&](std::uint64_t at, std::span<std::byte> out) { return file.read_at(at, out); }},
                       model, room, snapshot_bytes);
}

}  // namespace lfm::engine
