// Many users of one model, each on a thread of its own: service MODEL.gguf QUESTION...
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lfm/lfm.h"

int main(int argc, char** argv) {
  if (argc < 3) return std::cerr << "usage: service MODEL.gguf QUESTION...\n", 2;
  const auto fail = [](const lfm::Error& error) { return std::cerr << error.describe() << '\n', 1; };

  auto engine = lfm::Engine::open(argv[1]);
  if (!engine.ok()) return fail(engine.error());
  auto chat = lfm::Chat::create(*engine);
  if (!chat.ok()) return fail(chat.error());
  auto pool = lfm::SessionPool::create(*engine);  // which has what all of them begin with once
  if (!pool.ok()) return fail(pool.error());

  std::mutex printing;
  {
    std::vector<std::jthread> users;
    for (int i = 2; i < argc; ++i) {
      users.emplace_back([&, question = std::string(argv[i])] {
        const std::vector<lfm::Message> messages = {{lfm::Role::kSystem, "Answer briefly, and only what you know."},
                                                    {lfm::Role::kUser, question}};
        const auto answer = pool->answer(*chat, messages, {.max_tokens = 200});
        const std::lock_guard one(printing);
        std::cout << question << '\n' << (answer.ok() ? answer->message.content : answer.error().describe()) << "\n\n";
      });
    }
  }
  const lfm::SessionPoolStats stats = pool->stats();
  std::cout << "[" << stats.taken << " answers, " << stats.taken_tokens << " tokens of them known before, "
            << stats.bytes << " bytes kept]\n";
}
