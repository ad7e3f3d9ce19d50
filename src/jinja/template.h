// Chat templates in Jinja: the subset that they use, as transformers runs it (trim_blocks, lstrip_blocks, tojson as
// json.dumps(), break and continue, {% generation %}). No files, no attributes of Python's objects, nothing that
// changes a value: templates come with models from anywhere.
//
// Every byte that a template writes knows who wrote it, the template or what it was given. A run takes bounded time,
// memory and depth; nothing that a template or a value contains makes it fail otherwise than with an error.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/budget.h"
#include "jinja/clock.h"
#include "jinja/text.h"
#include "jinja/value.h"
#include "lfm/result.h"

namespace lfm::jinja {

struct Parsed;

// Immutable, so that any number of threads may run one.
class Template {
 public:
  // kUnsupported: this isn't Jinja, or has statements beyond the subset; kLimit: too long, or nested too deeply.
  // Messages tell the line.
  static Result<std::shared_ptr<const Template>> parse(std::string_view source);
  ~Template();

  // kUnsupported: what Jinja too calls an error, and filters and functions beyond the subset; kLimit: beyond the
  // limits; kArgument: the template refuses (raise_exception), with its words. `clock`: for strftime_now(); may be
  // null.
  Result<Text> render(const std::vector<std::pair<std::string, Value>>& variables, const Clock* clock,
                      const Limits& limits = {}) const;

  // Whether it uses this as a variable, as an attribute or as a text in quotes.
  bool mentions(std::string_view word) const;

 private:
  Template() = default;
  std::unique_ptr<const Parsed> parsed_;
};

}  // namespace lfm::jinja
