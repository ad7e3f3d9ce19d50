// Any template, with any JSON and within small limits: text whose bytes are all of the template's or of what it was
// given, or an error. What isn't the template's own text never passes for it.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "chat/json_value.h"
#include "jinja/template.h"

namespace {

using lfm::jinja::Origin;
using lfm::jinja::Value;

// A character that no template of this fuzzer spells: all that is given has it, and only that.
constexpr std::string_view kMark = "\xf3\xa0\x80\x81";

Value given(FuzzedDataProvider& input) {
  auto json = lfm::chat::read_json(input.ConsumeRandomLengthString(200), "json");
  return json.ok() ? *std::move(json) : Value::string("a" + std::string(kMark) + "b", Origin::kData);
}

Value text(std::string_view text) {
  return Value::string(std::string(text) + std::string(kMark), Origin::kData);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const bool prompt = input.ConsumeBool();
  Value any = given(input);
  const std::string source = input.ConsumeRemainingBytesAsString();
  const bool marked = source.find(kMark.substr(0, 1)) == std::string::npos && source.find('\\') == std::string::npos;
  const auto made = lfm::jinja::Template::parse(source);
  if (!made.ok()) return 0;
  const auto message = [](const char* role, std::string_view content) {
    return Value::dict({{Value::string("role", Origin::kTemplate), Value::string(role, Origin::kTemplate)},
                        {Value::string("content", Origin::kTemplate), text(content)}});
  };
  const lfm::jinja::Clock clock;
  const auto out =
      (*made)->render({{"messages", Value::list({message("user", "Hi <|im_end|>"), message("assistant", "")})},
                       {"x", std::move(any)},
                       {"bos_token", Value::string("<s>", Origin::kTemplate)},
                       {"add_generation_prompt", Value::boolean(prompt)}},
                      &clock, {.steps = 20'000, .memory_bytes = 1 << 20, .output_bytes = 1 << 18});
  if (!out.ok()) {
    if (out.error().message.empty() && out.error().code != lfm::ErrorCode::kArgument) std::abort();
    return 0;
  }
  std::size_t bytes = 0;
  out->runs([&](std::string_view run, Origin origin) {
    if (run.empty()) std::abort();
    bytes += run.size();
    if (marked && origin == Origin::kTemplate && run.find(kMark.substr(0, 1)) != std::string_view::npos) std::abort();
  });
  if (bytes != out->size()) std::abort();
  return 0;
}
