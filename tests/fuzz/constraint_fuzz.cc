// Any text as a schema, a pattern and a list of tools, and any walk through what it allows: a text that is begun can
// always be ended or gone on with.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "constrain/compile.h"
#include "constrain/compile_tools.h"
#include "constrain/match/matcher.h"
#include "constrain/respell.h"

namespace {

using namespace lfm::constrain;

constexpr std::uint64_t kEffort = 5'000'000;  // half a second of such a build

// Each choice is where to begin looking for the next byte that may come.
void walk(Grammar& grammar, std::string_view choices) {
  Matcher matcher(grammar, nullptr, nullptr);
  for (const char choice : choices.substr(0, 64)) {
    bool moved = false;
    for (unsigned i = 0; i < 256 && !moved; ++i) {
      const char byte = static_cast<char>(static_cast<unsigned char>(choice) + i);
      const auto accepted = matcher.accept({&byte, 1});
      if (!accepted.ok()) return;  // a limit
      moved = *accepted;
    }
    if (moved) continue;
    if (!matcher.is_complete()) std::abort();
    return;
  }
  if (!matcher.forced().ok()) return;
}

template <typename Compiled>
void check(const Compiled& compiled, std::string_view choices) {
  if (compiled.ok()) {
    walk(**compiled, choices);
  } else if (compiled.error().message.empty()) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\0');
  const std::string_view text = input.substr(0, end);
  const std::string_view choices = end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  check(compile_json_schema(text, false, kEffort), choices);
  check(compile_regex(text), choices);
  check(compile_tools(text, {}), choices);
  if (respell(text).from.empty()) std::abort();
  return 0;
}
