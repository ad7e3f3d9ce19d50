#include "quantize/calibration_text.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "base/try.h"

namespace lfm::quantize {
namespace {

// Written for this purpose. Few texts take the first of them, which are of all kinds therefore.
constexpr const char* kOpenings[] = {
    "Explain in three sentences why the sky is blue.",
    "Write a Python function that returns the n-th Fibonacci number, with a docstring.",
    "Return a JSON object with the fields name, age and city for three invented people. JSON only.",
    "Gib mir bitte ein einfaches Rezept für Kartoffelsuppe.",
    "What is 17 times 23? Show the steps.",
    "List five differences between TCP and UDP as a Markdown table.",
    "Écris un court poème sur la pluie à Paris.",
    "My train leaves at 14:35 and the journey takes 2 hours and 50 minutes. When do I arrive?",
    "Fix this C++ code: for (int i = 0; i <= v.size(); ++i) sum += v[i];",
    "请用简单的话解释什么是光合作用。",
    "Give me an SQL query for the ten customers with the highest total of orders.",
    "¿Cuáles son las ventajas de aprender un segundo idioma?",
    "Write an e-mail to a landlord about a broken heating, polite but firm.",
    "日本の四季について短く説明してください。",
    "Extract all dates from this text: We met on 3 May 2021 and again on 2024-11-09.",
    "Who was Marie Curie, and what is she known for?",
    "Write a shell command that finds all files larger than 10 MB and sorts them by size.",
    "اكتب فقرة قصيرة عن أهمية القراءة.",
    "Tell me a story for children about a snail that wanted to see the sea.",
    "Translate into German: The meeting has been moved to Thursday afternoon.",
    "Summarise the plot of a novel about a lighthouse keeper who finds a message in a bottle.",
    "한국의 전통 음식 세 가지를 소개해 주세요.",
    "What should I consider before I buy a used bicycle?",
    "Compare the advantages of trains and planes for a journey of 600 km.",
};
constexpr const char* kTools =
    "List of tools: [{\"name\": \"get_weather\", \"description\": \"Weather of a city\", \"parameters\": {\"type\": "
    "\"object\", \"properties\": {\"city\": {\"type\": \"string\"}}, \"required\": [\"city\"]}}]";

std::string opening(std::size_t i) {
  const std::string user = kOpenings[i % std::size(kOpenings)];
  const bool tools = i % 4 == 3;
  const std::string system = tools ? std::string("<|im_start|>system\n") + kTools + "<|im_end|>\n" : "";
  const std::string question = tools ? "What is the weather in Lisbon? " : "";
  return system + "<|im_start|>user\n" + question + user + "<|im_end|>\n<|im_start|>assistant\n";
}

// One text of so many begins with an opening. Every second was no better for nano, which knows none of them, and every
// eighth or none a tenth worse (mean KL divergence of three rotations, tests/quantize/rotated_test.cc, of which each
// moves by a sixth).
constexpr std::size_t kBeginnings = 4;
constexpr std::size_t kLeastTokens = 16;  // tokens of a text

// As many tokens of them, taken from everywhere: a file may have its chats first and its code last.
Texts spread(Texts all, std::size_t tokens) {
  const std::size_t size = std::accumulate(all.begin(), all.end(), std::size_t{0},
                                           [](std::size_t sum, const auto& text) { return sum + text.size(); });
  if (size <= tokens) return all;
  const double part = static_cast<double>(tokens) / static_cast<double>(size);
  std::vector<std::size_t> taken(all.size());  // of each
  std::size_t seen = 0, left = tokens;
  for (std::size_t i = 0; i < all.size(); ++i) {
    seen += all[i].size();
    const bool last = i + 1 == all.size();
    const auto due = last ? tokens : static_cast<std::size_t>(part * static_cast<double>(seen));
    const std::size_t room = due - std::min(due, tokens - left);
    if (last || all[i].size() <= room) taken[i] = std::min(all[i].size(), room);
    left -= taken[i];
  }
  // Texts that are longer than what was due have been left out, and may be all but a few words at the end.
  while (left > 0) {
    std::size_t longest = 0;
    for (std::size_t i = 1; i < all.size(); ++i) {
      if (all[i].size() - taken[i] > all[longest].size() - taken[longest]) longest = i;
    }
    const std::size_t more = std::min(left, all[longest].size() - taken[longest]);
    taken[longest] += more;
    left -= more;
  }
  Texts some;
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].resize(taken[i]);
    if (taken[i] > 0) some.push_back(std::move(all[i]));
  }
  return some;
}

}  // namespace

Result<Texts> cut_text(const text::Tokenizer& tokenizer, std::string_view text, std::size_t tokens,
                       std::size_t window) {
  LFM_ASSIGN(const std::vector<TokenId> all, tokenizer.encode(text));
  if (std::min(all.size(), tokens) < kLeastTokens) {
    const std::size_t size = std::min(all.size(), tokens);
    return Error{ErrorCode::kArgument,
                 "a text of " + std::to_string(size) + (size == 1 ? " token" : " tokens") + "; at least " +
                     std::to_string(kLeastTokens) + " are needed",
                 "calibration"};
  }
  return spread(cut_tokens(tokenizer, all, window), tokens);
}

Texts cut_tokens(const text::Tokenizer& tokenizer, std::span<const TokenId> tokens, std::size_t window) {
  Texts texts;
  for (const TokenId token : tokens) {
    const bool begins = tokenizer.bos() == token;
    if (texts.empty() || begins || texts.back().size() == window) {
      texts.emplace_back();
      if (tokenizer.bos() && !begins) texts.back().push_back(*tokenizer.bos());
    }
    texts.back().push_back(token);
  }
  return texts;
}

Result<Texts> opening_texts(const text::Tokenizer& tokenizer, std::size_t window) {
  Texts texts;
  for (std::size_t i = 0; i < std::size(kOpenings); ++i) {
    LFM_ASSIGN(std::vector<TokenId> text, tokenizer.encode(opening(i), {.bos = tokenizer.bos().has_value()}));
    text.resize(std::min(text.size(), window));
    if (!text.empty()) texts.push_back(std::move(text));
  }
  return texts;
}

Result<std::vector<TokenId>> beginning_of_text(const text::Tokenizer& tokenizer, std::size_t number) {
  const bool opens = number % kBeginnings == 1;
  const text::EncodeOptions options{.bos = tokenizer.bos().has_value()};
  LFM_ASSIGN(std::vector<TokenId> begin, tokenizer.encode(opens ? opening(number / kBeginnings) : "", options));
  if (begin.empty()) {
    LFM_ASSIGN(begin, tokenizer.encode("\n"));
  }
  return begin;
}

}  // namespace lfm::quantize
