// What an application does with the library, in C++: from_cxx MODEL
#include <lfm/lfm.h>

#include <cstdio>

int main(int, char** argv) {
  const auto engine = lfm::Engine::open(argv[1], {.threads = 1});
  if (!engine.ok()) return std::fprintf(stderr, "%s\n", engine.error().describe().c_str()), 1;
  auto session = engine->new_session();
  const auto prompt = engine->tokenizer().encode("hello");
  if (!session.ok() || !prompt.ok() || !session->sync(*prompt).ok()) return 1;
  const auto end = session->generate({.max_tokens = 3, .ignore_end = true}, nullptr);
  if (!end.ok() || end->tokens != 3) return 1;
  std::printf("%s, %s\n", engine->info().architecture.c_str(), lfm::to_string(end->reason));
  return lfm::Engine::open("/nonexistent").ok() ? 1 : 0;
}
