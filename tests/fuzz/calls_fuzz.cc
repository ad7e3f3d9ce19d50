// Any text between a model's call tokens: what comes out is the same however the text streams, and what comes out as a
// call has a name and a JSON object. The same text as the application's JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "chat/call_stream.h"
#include "chat/json.h"
#include "text/utf8.h"
#include "text/utf8_stream.h"

namespace {

struct Part {
  lfm::PieceKind kind;
  std::string text;
  std::string name;
  std::string arguments;
  std::string repair;
  bool operator==(const Part&) const = default;
};

// Pieces as they come; those of one malformed call together.
class Parts final : public lfm::chat::PieceSink {
 public:
  void piece(const lfm::Piece& piece) override {
    if (!lfm::text::is_utf8(piece.text)) std::abort();
    if (piece.kind == lfm::PieceKind::kMalformedCall) {
      if (piece.error.empty()) std::abort();
      if (!all.empty() && all.back().kind == piece.kind) {
        all.back().text += piece.text;
        return;
      }
    }
    all.push_back({piece.kind, std::string(piece.text), std::string(piece.name), std::string(piece.arguments),
                   std::string(piece.kind == lfm::PieceKind::kToolCall ? piece.error : "")});
  }

  std::vector<Part> all;
};

void check(const Part& part) {
  if (part.kind != lfm::PieceKind::kToolCall) return;
  const auto arguments = nlohmann::json::parse(part.arguments, nullptr, false);
  if (part.name.empty() || !arguments.is_object()) std::abort();
  if (!part.repair.empty()) return;  // what was repaired with its whole block in sight may be no call by itself
  lfm::chat::CallText again;
  if (!lfm::chat::read_call(part.text, again) || again.name != part.name || again.arguments != part.arguments)
    std::abort();
}

// In pieces of so many code points.
std::vector<Part> read(std::string_view text, std::size_t code_points, bool cut) {
  Parts parts;
  lfm::chat::CallStream stream;
  while (!text.empty()) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < code_points && length < text.size(); ++i)
      length += lfm::text::decode_utf8(text, length).length;
    stream.push(text.substr(0, length), parts);
    text.remove_prefix(length);
  }
  stream.finish(cut, parts);
  std::size_t calls = 0;
  for (const Part& part : parts.all) {
    calls += part.kind == lfm::PieceKind::kToolCall ? 1 : 0;
    check(part);
  }
  if (calls != stream.calls()) std::abort();
  return parts.all;
}

// What is read as JSON is written as JSON that is read again, as itself.
void check_json(std::string_view bytes) {
  const auto objects = lfm::chat::read_objects(bytes, "tools");
  if (objects.ok()) {
    for (const std::string& object : *objects) {
      const auto again = lfm::chat::read_objects("[" + object + "]", "tools");
      if (!again.ok() || again->size() != 1 || again->front() != object) std::abort();
    }
  }
  const auto arguments = lfm::chat::read_arguments(bytes, "arguments");
  if (arguments.ok() && arguments->size() != nlohmann::json::parse(bytes).size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lfm::text::Utf8Stream utf8;
  std::string text;
  utf8.push({reinterpret_cast<const char*>(data), size}, text);
  utf8.flush(text);
  for (const bool cut : {false, true}) {
    const std::vector<Part> whole = read(text, ~std::size_t{0}, cut);
    if (read(text, 1, cut) != whole || read(text, 3, cut) != whole) std::abort();
  }
  lfm::chat::CallText call;
  if (!lfm::chat::read_call(text, call) && call.problem.empty()) std::abort();
  check_json({reinterpret_cast<const char*>(data), size});
  return 0;
}
