// What an application of C++17 does with the library: from_cxx17 MODEL
#include <lfm/c.h>

#include <cstdio>

static_assert(__cplusplus == 201703L, "lfm::c asks for no other C++");

int main(int, char** argv) {
  lfm_engine* engine = nullptr;
  lfm_error error;
  if (lfm_engine_open(argv[1], nullptr, &engine, &error) != LFM_OK)
    return std::fprintf(stderr, "%s\n", error.message), 1;
  lfm_conversation* conversation = nullptr;
  lfm_message message{};
  message.size = sizeof message;
  message.role = LFM_USER;
  message.content = "Hello?";
  if (lfm_conversation_new(&conversation, &error) != LFM_OK) return 1;
  if (lfm_conversation_add(conversation, &message, &error) != LFM_OK)
    return std::fprintf(stderr, "%s\n", error.message), 1;
  lfm_conversation_free(conversation);
  lfm_engine_close(engine);
  return 0;
}
