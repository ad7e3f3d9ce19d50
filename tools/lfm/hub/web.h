// The hub's answers: redirects, further tries, and refusals in a person's words.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hub/environment.h"
#include "hub/json.h"
#include "hub/name.h"
#include "hub/transport.h"
#include "lfm/result.h"

namespace lfm::hub {

// How often something is tried that brings nothing, and what is waited in between: twice as long each time.
struct Patience {
  std::chrono::milliseconds wait;  // before the second try
  static constexpr int kAnswers = 3;
  static constexpr int kFiles = 6;  // while none brings any bytes
};

class Web {
 public:
  Web(Transport& transport, const Environment& environment, Patience patience)
      : transport_(transport), environment_(environment), patience_(patience) {}

  // The commit that a revision is at, and the files of a commit. Errors say in one sentence what to do.
  Result<std::string> commit(const Name& name);
  Result<std::vector<RemoteFile>> files(const Name& name, const std::string& commit);

  // One try at a file's bytes from `from` on. The token goes to the hub alone, wherever its answer leads.
  // The receiver gets heads of the status 200, 206, and 416 (there are no such bytes).
  Status get(const Name& name, const std::string& commit, const std::string& path, std::uint64_t from,
             const Receiver& receiver);

  // After an error of try `tried` (from 0) of so many: waits, and says whether to try once more.
  bool again(const Error& error, int tried, int tries) const;

 private:
  Status exchange(const Name& name, std::string address, std::uint64_t from, const Receiver& receiver);
  Result<std::string> read(const Name& name, const std::string& address, std::string& next);
  Error refusal(const Name& name, const Head& head, const std::string& body);
  std::string token_place() const;

  Transport& transport_;
  const Environment& environment_;
  const Patience patience_;
  long seconds_to_wait_ = 0;  // as the last answer asks for; 0: it doesn't
};

// Of bytes of an address: all but letters, digits and "-._~/" as %XX.
std::string escaped(const std::string& path);

}  // namespace lfm::hub
