// What a program with a window does: opening shows a bar, an answer comes on a thread of its own and can be stopped,
// and a stopped one goes on: stop MODEL.gguf QUESTION; Enter stops it, and Enter again goes on
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <iostream>
#include <stop_token>
#include <thread>
#include <vector>

#include "lfm/lfm.h"

namespace {

enum class Key { kNone, kEnter, kEnd };

Key key_within(int milliseconds) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (::poll(&input, 1, milliseconds) <= 0) return Key::kNone;
  return std::getchar() == EOF ? Key::kEnd : Key::kEnter;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "usage: stop MODEL.gguf QUESTION\n", 2;
  const auto fail = [](const lfm::Error& error) { return std::cerr << error.describe() << '\n', 1; };
  const auto bar = [](std::uint64_t done, std::uint64_t all) {
    std::cerr << '\r' << (all > 0 ? 100 * done / all : 100) << " % " << std::flush;
    return true;  // go on
  };

  auto engine = lfm::Engine::open(
      argv[1], {.progress = [&](const lfm::OpenProgress& opened) { return bar(opened.done, opened.all); }});
  if (!engine.ok()) return fail(engine.error());
  auto session = engine->new_session();
  if (!session.ok()) return fail(session.error());
  auto chat = lfm::Chat::create(*engine);
  if (!chat.ok()) return fail(chat.error());

  std::vector<lfm::Message> messages = {{lfm::Role::kUser, argv[2]}};
  for (bool more = false;; more = true) {
    std::atomic<bool> ended = false;
    lfm::Result<lfm::Answer> answer = lfm::Error{lfm::ErrorCode::kState, "it hasn't begun"};
    std::jthread work([&](std::stop_token stop) {  // its own: a click that comes too late stops no other answer
      answer = chat->answer(*session, messages,
                            {.max_tokens = 1000, .cancel = stop, .prompt_progress = bar, .continue_last = more},
                            [](const lfm::Piece& piece) { return !(std::cout << piece.text << std::flush).fail(); });
      ended = true;
    });
    for (Key key = Key::kNone; !ended && key != Key::kEnd;) {
      key = key_within(20);
      if (key == Key::kEnter) work.request_stop();
    }
    work.join();
    if (!answer.ok()) return fail(answer.error());
    if (more) messages.pop_back();
    messages.push_back(answer->message);
    std::cout << "\n[" << answer->finish.describe() << "]\n";
    if (answer->finish.reason != lfm::FinishReason::kCancelled || key_within(-1) != Key::kEnter) return 0;
  }
}
