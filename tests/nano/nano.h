// The network that comes with the project, asked as an application would.
#pragma once

#include <string>
#include <string_view>

#include "lfm/engine.h"

namespace lfm::test {

struct Answer {
  std::string text;  // without the token that ends it
  FinishReason reason = FinishReason::kLength;
};

// Opened once for all tests of the program.
const Engine& nano();

// The likeliest continuation of what the session holds.
Answer greedy(Session& session, std::size_t max_tokens);

// A conversation in LFM2's form. Each turn adds to the session what is new: nothing is evaluated twice.
class Conversation {
 public:
  explicit Conversation(const SessionOptions& options = {});

  void system(std::string_view text) { add("system", text); }
  std::string ask(std::string_view text) { return reply_to("user", text); }
  std::string tool(std::string_view result);  // an answer to the result of a tool

  std::size_t tokens() const { return session_.tokens().size(); }

 private:
  void add(std::string_view role, std::string_view text);
  void append(const std::string& text);
  std::string reply_to(std::string_view role, std::string_view text);

  Session session_;
};

}  // namespace lfm::test
