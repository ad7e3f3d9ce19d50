// Answers a question with the help of tools: agent MODEL.gguf "What is the weather in Rome?"
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "lfm/lfm.h"

namespace {

constexpr const char* kTools = R"([
  {"name": "get_weather", "description": "Weather of a city",
   "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}},
  {"name": "get_time", "description": "Time of day",
   "parameters": {"type": "object", "properties": {}}}])";

// What each of them does with its arguments, which are a JSON object that its schema allows.
const std::map<std::string, std::function<std::string(const std::string&)>> kRun = {
    {"get_weather", [](const std::string&) { return R"({"sky": "sunny", "degrees": 21})"; }},
    {"get_time", [](const std::string&) { return R"({"time": "12:30"})"; }},
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "usage: agent MODEL.gguf QUESTION\n", 2;
  const auto fail = [](const lfm::Error& error) { return std::cerr << error.describe() << '\n', 1; };

  auto engine = lfm::Engine::open(argv[1]);
  if (!engine.ok()) return fail(engine.error());
  auto session = engine->new_session();
  if (!session.ok()) return fail(session.error());
  auto chat = lfm::Chat::create(*engine, {.tools = kTools});
  if (!chat.ok()) return fail(chat.error());
  auto calls = lfm::Constraint::from_tools(kTools, {.choice = lfm::ToolChoice::kAuto});
  if (!calls.ok()) return fail(calls.error());

  constexpr int kMostTurns = 8;
  std::vector<lfm::Message> messages = {{lfm::Role::kUser, argv[2]}};
  for (int turn = 0; turn < kMostTurns; ++turn) {
    auto answer = chat->answer(*session, messages, {.max_tokens = 500, .constraint = *calls});
    if (!answer.ok()) return fail(answer.error());
    messages.push_back(answer->message);
    if (answer->message.tool_calls.empty()) return std::cout << answer->message.content << '\n', 0;
    for (const lfm::ToolCall& call : answer->message.tool_calls) {
      std::cerr << call.name << ' ' << call.arguments << '\n';
      messages.push_back({lfm::Role::kTool, kRun.at(call.name)(call.arguments)});
    }
  }
  return std::cerr << "no answer in " << kMostTurns << " turns\n", 1;
}
