// Reads facts out of texts, as JSON of a schema: extract MODEL.gguf SCHEMA.json < TEXTS, one a line
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "lfm/lfm.h"

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "usage: extract MODEL.gguf SCHEMA.json < TEXTS\n", 2;
  const auto fail = [](const lfm::Error& error) { return std::cerr << error.describe() << '\n', 1; };

  std::ifstream file(argv[2]);
  const std::string schema{std::istreambuf_iterator<char>(file), {}};
  auto constraint = lfm::Constraint::from_json_schema(schema);
  if (!constraint.ok()) return fail(constraint.error());
  auto engine = lfm::Engine::open(argv[1]);
  if (!engine.ok()) return fail(engine.error());
  auto session = engine->new_session();
  if (!session.ok()) return fail(session.error());
  auto chat = lfm::Chat::create(*engine);
  if (!chat.ok()) return fail(chat.error());

  const lfm::GenerateOptions options{.max_tokens = 500, .sampling = {.temperature = 0}, .constraint = *constraint};
  std::vector<lfm::Message> messages = {{lfm::Role::kSystem, "Answer with what the text says, as JSON."},
                                        {lfm::Role::kUser, ""}};
  for (std::string line; std::getline(std::cin, line);) {
    messages.back().content = line;
    auto answer = chat->answer(*session, messages, options);
    if (!answer.ok()) return fail(answer.error());
    if (answer->finish.reason == lfm::FinishReason::kEnd) {
      std::cout << answer->message.content << std::endl;
    } else {
      std::cerr << answer->finish.describe() << '\n';
    }
  }
}
