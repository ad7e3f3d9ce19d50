// ConstraintCache: constraints by kind, options and text.
#include <utility>

#include "api/guarded.h"
#include "api/recent.h"
#include "lfm/constraint.h"

namespace lfm {

using engine::guarded;

struct ConstraintCache::Entries {
  explicit Entries(std::size_t capacity) : recent(capacity) {}
  Recent<Constraint> recent;
};

ConstraintCache::ConstraintCache(std::size_t capacity) : entries_(std::make_unique<Entries>(capacity)) {}
ConstraintCache::~ConstraintCache() = default;

Result<Constraint> ConstraintCache::from_json_schema(std::string_view schema) {
  return guarded([&] {
    return entries_->recent.get("schema " + std::string(schema), [&] { return Constraint::from_json_schema(schema); });
  });
}

Result<Constraint> ConstraintCache::from_regex(std::string_view pattern) {
  return guarded([&] {
    return entries_->recent.get("regex " + std::string(pattern), [&] { return Constraint::from_regex(pattern); });
  });
}

Result<Constraint> ConstraintCache::from_tools(std::string_view tools, const ToolConstraint& options) {
  return guarded([&] {
    std::string key = "tools ";
    key += static_cast<char>('0' + static_cast<int>(options.choice));
    for (const bool flag : {options.single, options.text, options.json_form}) key += flag ? '1' : '0';
    key += std::to_string(options.only.size()) + " " + options.only + std::string(tools);
    return entries_->recent.get(key, [&] { return Constraint::from_tools(tools, options); });
  });
}

}  // namespace lfm
