// Requests over HTTP, without redirects. Who sends them is a module that is loaded when the first is needed: the
// library behind it takes the program longer to start with than a packed model takes to open.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "lfm/result.h"

namespace lfm::hub {

struct Request {
  std::string address;
  std::string token;       // empty: none is sent
  std::uint64_t from = 0;  // the first byte that is asked for
};

struct Head {
  int status = 0;
  std::map<std::string, std::string> fields;  // their names in lower case
  std::string redirect;                       // the whole address that a redirecting answer leads to

  std::string field(const char* name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? "" : found->second;
  }
};

// What becomes of an answer. False ends it there.
struct Receiver {
  std::function<bool(const Head&)> head;
  std::function<bool(std::string_view)> body;
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Ok too where the receiver ended it.
  //   kIo           there was no answer, or it broke off: worth another try
  //   kUnsupported  there can't be one: no such scheme, a certificate that isn't trusted
  virtual Status get(const Request& request, const Receiver& receiver) = 0;
};

// The module's, of this version.   kUnsupported  it isn't where the program looks for it, or can't be loaded
Result<Transport*> transport();

}  // namespace lfm::hub
