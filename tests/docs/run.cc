// Runs the snippets of docs/*.md, which CMake has put into snippets.inc: docs_cpp MODEL
#include <array>
#include <iostream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "lfm/lfm.h"

namespace {
#include "snippets.inc"
}  // namespace

int main(int, char** argv) {
  const auto fail = [](const lfm::Error& error) { return std::cerr << error.describe() << '\n', 1; };
  auto engine = lfm::Engine::open(argv[1], {.threads = 1});
  if (!engine.ok()) return fail(engine.error());
  auto session = engine->new_session();
  if (!session.ok()) return fail(session.error());
  auto chat = lfm::Chat::create(*engine);
  if (!chat.ok()) return fail(chat.error());
  for (const auto snippet : kSnippets) {
    if (const lfm::Status status = snippet(*engine, *session, *chat); !status.ok()) return fail(status.error());
  }
}
