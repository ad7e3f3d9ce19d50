// ConstraintCache: a list, the last used one in front.
#include <iterator>
#include <list>
#include <mutex>
#include <utility>

#include "api/guarded.h"
#include "base/try.h"
#include "lfm/constraint.h"

namespace lfm {

using engine::guarded;

struct ConstraintCache::Entries {
  explicit Entries(std::size_t most) : capacity(most) {}

  template <typename Make>
  Result<Constraint> get(std::string key, const Make& make) {
    return guarded([&]() -> Result<Constraint> {
      if (const auto kept = find(key)) return *kept;
      LFM_ASSIGN(Constraint made, make());
      const std::lock_guard lock(mutex);
      all.emplace_front(std::move(key), made);
      if (all.size() > capacity) all.pop_back();
      return made;
    });
  }

  std::optional<Constraint> find(const std::string& key) {
    const std::lock_guard lock(mutex);
    for (auto entry = all.begin(); entry != all.end(); ++entry) {
      if (entry->first != key) continue;
      all.splice(all.begin(), all, entry);
      return entry->second;
    }
    return std::nullopt;
  }

  std::size_t capacity;
  std::mutex mutex;
  std::list<std::pair<std::string, Constraint>> all;
};

ConstraintCache::ConstraintCache(std::size_t capacity) : entries_(std::make_unique<Entries>(capacity)) {}
ConstraintCache::~ConstraintCache() = default;

Result<Constraint> ConstraintCache::from_json_schema(std::string_view schema) {
  return entries_->get("schema " + std::string(schema), [&] { return Constraint::from_json_schema(schema); });
}

Result<Constraint> ConstraintCache::from_regex(std::string_view pattern) {
  return entries_->get("regex " + std::string(pattern), [&] { return Constraint::from_regex(pattern); });
}

Result<Constraint> ConstraintCache::from_tools(std::string_view tools, const ToolConstraint& options) {
  std::string key = "tools ";
  key += static_cast<char>('0' + static_cast<int>(options.choice));
  for (const bool flag : {options.single, options.text, options.json_form}) key += flag ? '1' : '0';
  key += std::to_string(options.only.size()) + " " + options.only;
  return entries_->get(key + std::string(tools), [&] { return Constraint::from_tools(tools, options); });
}

}  // namespace lfm
