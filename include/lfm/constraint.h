// What an answer may be: JSON of a schema, the texts of a regular expression, calls of tools. Held to while the model
// speaks, token by token, so that the answer can't be anything else.
//
//   auto constraint = lfm::Constraint::from_json_schema(R"({"type": "object", "properties": {"age": {"type": "integer"}}})");
//   auto answer = chat->answer(session, messages, {.constraint = *constraint});
//
// How JSON is written: one space behind commas and colons and no other white space; members in the order of the schema's
// "properties", then required ones that it doesn't name, then others, none twice; characters as they are but for
// \" \\ \b \f \n \r \t and \u00XX for other control characters; numbers of at most 64 digits on each side of the point.
// docs/structured-output.md lists the keywords.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lfm/export.h"
#include "lfm/result.h"

namespace lfm {

class Engine;
namespace constrain {
class Compiled;
}
namespace engine {
class SessionState;
}

// Which calls an answer makes.
enum class ToolChoice : std::uint8_t {
  kAuto,      // some, none, text around them: but every call is one that its tool's schema allows
  kRequired,  // at least one
  kNone,      // no calls: the answer is free but for them
};

struct ToolConstraint {
  ToolChoice choice = ToolChoice::kRequired;
  std::string only = {};   // the name of the tool to be called; empty: any of them
  bool single = false;     // one call and no more
  bool text = false;       // kRequired: text may come before the calls and behind them; otherwise they are all there is
  bool json_form = false;  // calls as JSON, for models that write them so; otherwise as Python writes them
};

struct SchemaOptions {
  // Formats are remarks, and say nothing, where the schema's "$schema" says so, which 2020-12 does: as validators judge.
  // Otherwise every format of a string is held to, whatever the draft, and one that can't be is an error.
  bool formats_by_draft = false;
};

// Immutable, cheap to copy, usable for any number of generations in any number of threads. Making one takes
// milliseconds, at most about a second, and needs no model: do it on a thread that nobody waits for.
class LFM_API Constraint {
 public:
  // The schema as JSON text; what of it can't be held to exactly is an error, never left out.
  //   kUnsupported  a keyword that can't be held (field: the JSON pointer to it);   kArgument  no JSON, no schema, or
  //   one that nothing satisfies;   kLimit  more than 1 MiB, too deep, too many combinations, states or repeats
  static Result<Constraint> from_json_schema(std::string_view schema, const SchemaOptions& options = {});

  // ECMA-262 as JSON Schema has it; the answer matches it from end to end.
  static Result<Constraint> from_regex(std::string_view pattern);

  // Tools as in ChatOptions. kUnsupported, kArgument, kLimit as above; kArgument: `only` names no tool ("tool_choice").
  static Result<Constraint> from_tools(std::string_view tools, const ToolConstraint& options = {});

  // Calls, or an answer that makes none: the first is of from_tools() with kAuto, the second of from_json_schema() or
  // from_regex(), which is what the answer is where the model doesn't begin it with a call. Costs next to nothing.
  //   kArgument  they are of other kinds ("calls", "answer")
  static Result<Constraint> either(const Constraint& calls, const Constraint& answer);

  // Makes now what the first generation with it would make otherwise, which takes some 20 ms the first time that a model
  // speaks under any constraint. From any thread. kNoMemory
  Status prepare(const Engine& engine) const;

  struct Verdict {
    bool allowed = false;
    std::uint64_t offset = 0;  // of the first byte that can't be
  };

  // Whether a text is one of those. JSON may be spelt in any way, its members in any order.
  // Of calls the text is what stands between the tokens that begin and end them; without calls any text is.
  Result<Verdict> check(std::string_view text) const;

 private:
  friend class engine::SessionState;
  explicit Constraint(std::shared_ptr<const constrain::Compiled> inner) noexcept : inner_(std::move(inner)) {}
  std::shared_ptr<const constrain::Compiled> inner_;
};

// Constraints by what they were made from, for those who are asked for the same ones again and again. Keeps those that
// were asked for last. For any number of threads, which don't wait for what another one compiles.
class LFM_API ConstraintCache {
 public:
  explicit ConstraintCache(std::size_t capacity = 64);
  ~ConstraintCache();
  ConstraintCache(const ConstraintCache&) = delete;
  ConstraintCache& operator=(const ConstraintCache&) = delete;

  // As Constraint's. Errors aren't kept.
  Result<Constraint> from_json_schema(std::string_view schema);
  Result<Constraint> from_regex(std::string_view pattern);
  Result<Constraint> from_tools(std::string_view tools, const ToolConstraint& options = {});

 private:
  struct Entries;
  std::unique_ptr<Entries> entries_;
};

}  // namespace lfm
