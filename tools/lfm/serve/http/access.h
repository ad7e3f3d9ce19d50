// Who may ask: of web pages those of this server alone, of others who has the key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"
#include "serve/api_error.h"
#include "serve/http/application.h"

namespace lfm::serve {

struct AccessRules {
  std::vector<std::string> keys;     // any of them will do; none: nobody is asked for one
  std::vector<std::string> hosts;    // names that this server has besides those of the machine itself
  std::vector<std::string> origins;  // of web pages that may ask; "*" is all
};

class Access {
 public:
  explicit Access(AccessRules rules) : rules_(std::move(rules)) {}

  // What speaks against this request; `open`: no key is asked for.
  std::optional<ApiError> refuse(const Request& head, bool open) const;

  // The headers that let the browser of a page elsewhere read the answer; none where there is no such page.
  Headers for_page(const Request& head) const;

 private:
  bool is_ours(std::string_view host) const;
  bool may_ask(const Request& head) const;
  bool has_key(const Request& head) const;

  AccessRules rules_;
};

// Keys of a file, one a line; blank lines and those that begin with # are left out. kIo;   kArgument where it has none
Result<std::vector<std::string>> read_keys(const std::string& path);

// Whether connections to this address come from this machine alone. No name is looked up but "localhost".
bool is_loopback(std::string_view host);

}  // namespace lfm::serve
