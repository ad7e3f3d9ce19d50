// A conversation: chat MODEL.gguf
// Each line of standard input is a message; an empty one takes the last message and its answer back.
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "lfm/lfm.h"

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: chat MODEL.gguf\n", 2;
  const auto fail = [](const lfm::Error& error) { return std::cerr << error.describe() << '\n', 1; };

  auto engine = lfm::Engine::open(argv[1]);
  if (!engine.ok()) return fail(engine.error());
  auto session = engine->new_session();
  if (!session.ok()) return fail(session.error());
  auto chat = lfm::Chat::create(*engine);
  if (!chat.ok()) return fail(chat.error());

  const lfm::GenerateOptions options{.max_tokens = 200};
  std::vector<lfm::Message> messages;
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) {
      messages.resize(messages.size() - std::min<std::size_t>(messages.size(), 2));
      continue;
    }
    messages.push_back({.role = lfm::Role::kUser, .content = line});
    auto answer = chat->answer(*session, messages, options, [](const lfm::Piece& piece) {
      if (piece.kind == lfm::PieceKind::kText) std::cout << piece.text << std::flush;
      return true;
    });
    if (!answer.ok()) return fail(answer.error());
    std::cout << "\n[" << answer->prompt.evaluated << " tokens read, " << answer->prompt.reused << " reused]\n";
    messages.push_back(answer->message);
  }
}
