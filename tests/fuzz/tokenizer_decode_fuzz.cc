// Any ids, and their bytes as text while they stream: whatever the ids, whole code points come out.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tests/text/sample.h"
#include "text/utf8.h"
#include "text/utf8_stream.h"

namespace {

using lfm::TokenId;
using lfm::text::Utf8Stream;

// Two bytes an id, a few of which lie outside of the vocabulary; 0xffff takes four more, for all ids there are.
std::vector<TokenId> ids_of(const std::uint8_t* data, std::size_t size) {
  std::vector<TokenId> ids;
  for (std::size_t at = 0; at + 2 <= size; at += 2) {
    std::uint16_t two = 0;
    std::memcpy(&two, data + at, 2);
    TokenId id = two == 0xfffe ? 4096 : two % 4096;
    if (two == 0xffff && at + 6 <= size) {
      std::memcpy(&id, data + at + 2, 4);
      at += 4;
    }
    ids.push_back(id);
  }
  return ids;
}

std::string stream(Utf8Stream::Mode mode, const std::vector<std::string_view>& pieces) {
  Utf8Stream stream(mode);
  std::string out;
  for (const std::string_view piece : pieces) {
    const std::size_t before = out.size();
    stream.push(piece, out);
    if (mode == Utf8Stream::Mode::kText && !lfm::text::is_utf8(std::string_view(out).substr(before))) std::abort();
  }
  stream.flush(out);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const lfm::text::Tokenizer& tokenizer = lfm::text::sample_tokenizer();
  const std::vector<TokenId> ids = ids_of(data, size);
  const auto text = tokenizer.decode(ids);
  std::vector<std::string_view> pieces;
  std::string bytes;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || static_cast<std::size_t>(ids[i]) >= tokenizer.vocabulary().size()) {
      if (text.ok() || text.error().code != lfm::ErrorCode::kArgument || text.error().index != i) std::abort();
      return 0;
    }
    pieces.push_back(tokenizer.piece(ids[i]));
    bytes += pieces.back();
  }
  if (!text.ok() || *text != bytes) std::abort();
  if (stream(Utf8Stream::Mode::kRaw, pieces) != bytes) std::abort();
  const std::string streamed = stream(Utf8Stream::Mode::kText, pieces);
  if (streamed != stream(Utf8Stream::Mode::kText, {bytes}) || !lfm::text::is_utf8(streamed)) std::abort();
  if (lfm::text::is_utf8(bytes) && streamed != bytes) std::abort();
  return 0;
}
