// A session behind standard input and output, for scripts/compare-edit:
//   sync_loop MODEL.gguf THREADS CONTEXT
// Each line "COUNT ID ID ..." makes the session these tokens and has it generate COUNT more, the likeliest. The answer
// is "SECONDS REUSED EVALUATED ID ...": the time until the first of them was known, what sync() did, and the tokens.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "lfm/lfm.h"

namespace {

int fail(const lfm::Error& error) {
  std::cerr << "sync_loop: " << error.describe() << '\n';
  return EXIT_FAILURE;
}

lfm::TokenId likeliest(std::span<const float> logits) {
  return static_cast<lfm::TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

lfm::Status answer(lfm::Session& session, const std::string& line) {
  std::istringstream in(line);
  std::size_t count = 0;
  in >> count;
  std::vector<lfm::TokenId> ids;
  for (lfm::TokenId id; in >> id;) ids.push_back(id);

  const auto start = std::chrono::steady_clock::now();
  const auto info = session.sync(ids);
  if (!info.ok()) return info.error();
  lfm::TokenId next = likeliest(session.logits());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::cout << seconds.count() << ' ' << info->reused << ' ' << info->evaluated;
  for (std::size_t i = 0; i < count; ++i) {
    std::cout << ' ' << next;
    if (lfm::Status status = session.append({&next, 1}); !status.ok()) return status;
    next = likeliest(session.logits());
  }
  std::cout << std::endl;
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: sync_loop MODEL.gguf THREADS CONTEXT\n";
    return EXIT_FAILURE;
  }
  const auto number = [](const char* text) { return static_cast<unsigned>(std::strtoul(text, nullptr, 10)); };
  auto engine = lfm::Engine::open(argv[1], {.threads = number(argv[2])});
  if (!engine.ok()) return fail(engine.error());
  auto session = engine->new_session({.context_tokens = number(argv[3])});
  if (!session.ok()) return fail(session.error());
  for (std::string line; std::getline(std::cin, line);) {
    if (const lfm::Status status = answer(*session, line); !status.ok()) return fail(status.error());
  }
  return EXIT_SUCCESS;
}
