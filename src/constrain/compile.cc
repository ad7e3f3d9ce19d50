#include "constrain/compile.h"

#include "base/try.h"
#include "constrain/regex/pattern.h"
#include "constrain/schema/compiler.h"

namespace lfm::constrain {
namespace {

// Text as it is: nothing is escaped, and nothing ends it.
const Spelling kPlain = {'\0', true, true};

Status finish(Grammar& grammar, const char* nothing) {
  grammar.prune();
  if (grammar.dfa.failed()) return Error{ErrorCode::kLimit, "too many states, or too much work", "schema"};
  if (grammar.nodes[grammar.root].height == kNever) return Error{ErrorCode::kArgument, nothing, "schema"};
  return {};
}

}  // namespace

Result<std::shared_ptr<Grammar>> compile_json_schema(std::string_view text, bool formats_by_draft,
                                                     std::uint64_t effort) {
  if (text.size() > kMaxSchemaBytes) return Error{ErrorCode::kLimit, "a schema of more than 1 MiB", "schema"};
  LFM_ASSIGN(const Json schema, parse_json(text, "schema"));
  auto grammar = std::make_shared<Grammar>();
  grammar->is_json = true;
  grammar->dfa.pool().effort().limit(effort);
  SchemaCompiler compiler(schema, *grammar, formats_by_draft);
  LFM_ASSIGN(grammar->root, compiler.add(schema));
  LFM_TRY(compiler.finish());
  LFM_TRY(finish(*grammar, "nothing satisfies the schema"));
  return grammar;
}

Result<std::shared_ptr<Grammar>> compile_regex(std::string_view text) {
  LFM_ASSIGN(const Pattern pattern, Pattern::parse(text));
  auto grammar = std::make_shared<Grammar>();
  LFM_ASSIGN(const RegexId regex, pattern.compile(grammar->dfa.pool(), kPlain, Pattern::Extent::kWhole));
  grammar->nodes.push_back({.scalar = grammar->dfa.start(regex)});
  LFM_TRY(finish(*grammar, "nothing matches the pattern"));
  return grammar;
}

}  // namespace lfm::constrain
