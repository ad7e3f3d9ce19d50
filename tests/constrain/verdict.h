// Whether a grammar allows a text.
#pragma once

#include <string>
#include <string_view>

#include "constrain/compile.h"
#include "constrain/match/matcher.h"
#include "constrain/respell.h"

namespace lfm::constrain {

// "allowed", "refused at N" or "refused at the end".
inline std::string verdict(Grammar& grammar, std::string_view text, Order order = Order::kAsGiven) {
  Matcher matcher(grammar, nullptr, nullptr, order);
  std::size_t matched = 0;
  const auto accepted = matcher.accept(text, &matched);
  if (!accepted.ok()) return accepted.error().describe();
  if (!*accepted) return "refused at " + std::to_string(matched);
  return matcher.is_complete() ? "allowed" : "refused at the end";
}

inline std::string verdict(std::string_view schema, std::string_view text, Order order = Order::kAsGiven) {
  const auto grammar = compile_json_schema(schema);
  return grammar.ok() ? verdict(**grammar, text, order) : grammar.error().describe();
}

}  // namespace lfm::constrain
