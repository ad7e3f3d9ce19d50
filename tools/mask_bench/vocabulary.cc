#include "vocabulary.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <set>
#include <unordered_map>

#include "text/byte_alphabet.h"

namespace lfm::mask_bench {
namespace {

// The characters with which a byte-level vocabulary writes each byte.
std::vector<std::string> written_bytes() {
  std::vector<std::string> written(256);
  for (unsigned c = 0x21; c < 0x180; ++c) {
    std::string character;
    if (c < 0x80) {
      character = static_cast<char>(c);
    } else {
      character = {static_cast<char>(0xc0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3f))};
    }
    std::string byte;
    if (text::append_written_bytes(character, byte)) written[static_cast<unsigned char>(byte[0])] = character;
  }
  return written;
}

int kind_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') return 1;
  if (byte >= '0' && byte <= '9') return 2;
  if (byte == ' ' || byte == '\n' || byte == '\t') return 3;
  return byte >= 0x80 ? 1 : 4;
}

std::size_t longest(int kind) {
  return kind == 2 ? 3 : kind == 4 ? 6 : 16;
}

std::unordered_map<std::string, std::size_t> count_words(const std::vector<std::string>& texts) {
  std::unordered_map<std::string, std::size_t> counts;
  for (const std::string& text : texts) {
    for (std::size_t begin = 0; begin < text.size();) {
      std::size_t end = begin;
      if (text[end] == ' ' && end + 1 < text.size() && kind_of(text[end + 1]) != 3) ++end;
      const int kind = kind_of(text[end]);
      while (end < text.size() && kind_of(text[end]) == kind && end - begin < longest(kind)) ++end;
      for (std::size_t part = 2; part <= end - begin; ++part) ++counts[text.substr(begin, part)];
      begin = end;
    }
  }
  return counts;
}

}  // namespace

text::Tokenizer make_tokenizer(const std::vector<std::string>& texts, std::size_t tokens) {
  auto counts = count_words(texts);
  std::vector<std::pair<std::size_t, std::string>> words;
  for (auto& [word, count] : counts) words.emplace_back(count, word);
  std::sort(words.rbegin(), words.rend());
  std::vector<std::string> all = {"<|pad|>", "<|startoftext|>", "<|endoftext|>", "<|im_start|>", "<|im_end|>"};
  std::vector<std::int32_t> types(all.size(), 3);
  const std::vector<std::string> written_byte = written_bytes();
  const auto add = [&](std::string_view bytes) {
    std::string& written = all.emplace_back();
    for (const char c : bytes) written += written_byte[static_cast<unsigned char>(c)];
    types.push_back(1);
  };
  for (int byte = 0; byte < 256; ++byte) add(std::string(1, static_cast<char>(byte)));
  add("ab");
  for (const auto& [count, word] : words) {
    if (all.size() >= tokens) break;
    if (word != "ab") add(word);
  }
  text::TokenizerData data;
  data.model = "gpt2";
  data.pre = "lfm2";
  data.bos_id = 1;
  data.eos_id = 4;
  data.tokens.assign(all.begin(), all.end());
  data.types = types;
  const std::string merge = written_byte[97] + " " + written_byte[98];  // there has to be one
  data.merges = {merge};
  auto tokenizer = text::Tokenizer::create(data);
  if (!tokenizer.ok()) {
    std::cerr << tokenizer.error().describe() << "\n";
    std::exit(1);
  }
  return *std::move(tokenizer);
}

}  // namespace lfm::mask_bench
