// Any bytes as a saved session: as they are, and with their checksums and model put right, as somebody would who means
// harm. A session that loads goes on: is edited, generates, and is saved again.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "base/checksum.h"
#include "base/file.h"
#include "engine/session/saved_session.h"
#include "fuzz/file_bytes.h"
#include "fuzz/small_model.h"
#include "lfm/lfm.h"

namespace {

using lfm::engine::SavedHeader;
using lfm::test::FileBytes;

constexpr std::size_t kRoom = 64;

const lfm::Engine& engine() {
  static const lfm::Engine engine = [] {
    FileBytes file;
    const std::string bytes = lfm::test::smallest_whole(true).build();
    file.set(std::as_bytes(std::span(bytes)));
    auto opened =
        lfm::Engine::open(file.path(), {.threads = 1, .dense = lfm::DenseBackend::kNative, .chunk_tokens = 8});
    if (!opened.ok()) std::abort();
    return *std::move(opened);
  }();
  return engine;
}

lfm::Session new_session() {
  auto session = engine().new_session({.context_tokens = kRoom, .snapshot_bytes = 1 << 16});
  if (!session.ok()) std::abort();
  return *std::move(session);
}

// Puts the sums right of all sections that lie inside of the file.
void mend(std::span<std::byte> file, std::uint64_t fingerprint) {
  SavedHeader header;
  if (file.size() < sizeof header) return;
  std::memcpy(&header, file.data(), sizeof header);
  header.fingerprint = fingerprint;
  const std::uint64_t token_bytes = std::min<std::uint64_t>(header.tokens, kRoom) * sizeof(lfm::TokenId);
  if (sizeof header + token_bytes <= file.size())
    header.tokens_sum = lfm::base::checksum(file.subspan(sizeof header, token_bytes));
  header.sum = 0;
  header.sum = lfm::base::checksum(std::as_bytes(std::span(&header, 1)));
  std::memcpy(file.data(), &header, sizeof header);

  std::size_t at = sizeof header;
  const auto section = [&](std::uint64_t bytes) {
    if (bytes > file.size() || file.size() - bytes < at + sizeof(std::uint64_t)) return false;
    const std::uint64_t sum = lfm::base::checksum(file.subspan(at, bytes), header.sum + at);
    std::memcpy(&file[at + bytes], &sum, sizeof sum);
    at += bytes + sizeof sum;
    return true;
  };
  bool inside = section(token_bytes) && section(std::min<std::uint64_t>(header.snapshots, kRoom) * 8) &&
                section(std::min<std::uint64_t>(header.logits, 1 << 20) * 4);
  for (std::uint64_t i = 0; inside && i <= header.snapshots; ++i)
    inside = section(std::min<std::uint64_t>(header.conv_floats, 1 << 20) * 4);
  for (std::uint64_t i = 0; inside && i < header.pages; ++i) inside = section(header.page_bytes);
}

std::uint64_t fingerprint() {
  const lfm::Session session = new_session();
  const std::string path = "/tmp/lfm-session-fuzz-" + std::to_string(::getpid());
  SavedHeader header;
  if (!session.save(path).ok()) std::abort();
  auto file = lfm::base::File::open_read(path);
  if (!file.ok() || !file->read_at(0, std::as_writable_bytes(std::span(&header, 1))).ok()) std::abort();
  ::unlink(path.c_str());
  return header.fingerprint;
}

void use(const FileBytes& file) {
  lfm::Session session = new_session();
  if (const lfm::Status loaded = session.load(file.path()); !loaded.ok()) {
    if (loaded.error().describe().empty() || !session.tokens().empty()) std::abort();
    return;
  }
  if (session.tokens().size() > kRoom) std::abort();
  for (const float logit : session.logits()) {
    if (!std::isfinite(logit)) std::abort();
  }
  if (!session.logits().empty()) (void)session.generate({.max_tokens = 2, .ignore_end = true}, nullptr);
  std::vector<lfm::TokenId> tokens(session.tokens().begin(), session.tokens().end());
  if (!tokens.empty()) tokens.resize(tokens.size() * 2 / 3);
  const auto synced = session.sync(tokens);
  if (!synced.ok() && synced.error().code != lfm::ErrorCode::kNumeric) std::abort();
  if (synced.ok() && !session.fork().ok()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::uint64_t ours = fingerprint();
  static FileBytes file;
  const auto input = std::as_bytes(std::span(data, size));
  std::vector<std::byte> bytes(input.begin(), input.end());
  file.set(bytes);
  use(file);
  mend(bytes, ours);
  file.set(bytes);
  use(file);
  return 0;
}
