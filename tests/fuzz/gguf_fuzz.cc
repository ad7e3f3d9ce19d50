// Any bytes as a model file: header, metadata, tensor list, tokenizer, configuration and tensor table.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "format/gguf.h"
#include "source/gguf_source.h"
#include "source/source.h"
#include "text/tokenizer.h"

namespace {

using lfm::format::Gguf;

// Looks at everything that was accepted, so that the sanitizers see what lies outside of its memory.
std::size_t touch(const Gguf& gguf) {
  std::size_t sum = 0;
  for (const auto& entry : gguf.metadata().entries()) {
    sum += entry.key.size();
    if (gguf.metadata().find(entry.key) != &entry) std::abort();
    if (const auto text = gguf.metadata().find_string(entry.key); text.ok() && !(*text)->empty())
      sum += static_cast<unsigned char>((*text)->back());
    if (const auto strings = gguf.metadata().find_strings(entry.key); strings.ok()) {
      for (std::size_t i = 0; i < (*strings)->size(); ++i) sum += (**strings)[i].size();
    }
    if (const auto numbers = gguf.metadata().find_integers(entry.key); numbers.ok()) sum += (*numbers)->size();
    if (const auto number = gguf.metadata().find_unsigned(entry.key); number.ok()) sum += **number;
    if (const auto number = gguf.metadata().find_float(entry.key); number.ok()) sum += **number > 0 ? 1 : 0;
    if (const auto flag = gguf.metadata().find_bool(entry.key); flag.ok()) sum += **flag ? 1 : 0;
  }
  for (const auto& tensor : gguf.tensors()) {
    if (tensor.offset > gguf.file_bytes() || tensor.bytes > gguf.file_bytes() - tensor.offset) std::abort();
    if (gguf.find(tensor.name) != &tensor) std::abort();
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto gguf = Gguf::parse(std::as_bytes(std::span(data, size)));
  if (!gguf.ok()) {
    if (gguf.error().describe().empty()) std::abort();
    return 0;
  }
  volatile std::size_t sink = touch(*gguf);
  (void)sink;
  std::vector<Gguf> parts;
  parts.push_back(*std::move(gguf));
  const auto source = lfm::source::source_of(std::move(parts));
  if (!source.ok()) return 0;
  if (const auto tokenizer_data = (*source)->tokenizer(); tokenizer_data.ok()) {
    if (const auto tokenizer = lfm::text::Tokenizer::create(*tokenizer_data); tokenizer.ok()) {
      constexpr std::string_view kText = "Hello <|im_end|>\n\xff";
      const auto ids = tokenizer->encode(kText);
      if (!ids.ok() || *tokenizer->decode(*ids) != kText) std::abort();
    }
  }
  const auto config = (*source)->config();
  if (!config.ok()) return 0;
  const auto table = lfm::model::match_tensors((*source)->tensors, (*source)->naming, *config);
  if (!table.ok()) return 0;
  if (table->totals.bytes > size || table->tensors.size() != (*source)->tensors.size()) std::abort();
  return 0;
}
