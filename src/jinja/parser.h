// Tokens to nodes, by Jinja's grammar.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/lexer.h"
#include "jinja/node.h"

namespace lfm::jinja {

// What a template's text says.
struct Parsed {
  Nodes body;
  std::map<std::string, Symbol, std::less<>> symbols;  // of all variables
  std::set<std::string, std::less<>> words;            // names of variables and attributes, and texts in quotes
};

// kUnsupported: what isn't Jinja, or a statement that chat templates have no use for, with the line as index.
Result<Parsed> parse(std::string_view source);

}  // namespace lfm::jinja
