/* A conversation that is kept in a file, a question at a time: conversation MODEL.gguf FILE.json QUESTION */
#include <lfm/c.h>
#include <stdio.h>
#include <stdlib.h>

static lfm_error error;

static int failed(void) {
  fprintf(stderr, "%s\n", error.message);
  return 1;
}

static bool print(const lfm_piece* piece, void* user) {
  (void)user;
  if (piece->kind != LFM_TEXT) return true;
  return fwrite(piece->text, 1, piece->bytes, stdout) == piece->bytes && fflush(stdout) == 0;
}

/* What the file has; a new one where there is none. */
static lfm_code read_conversation(const char* path, lfm_conversation** conversation) {
  static char text[1 << 20];
  FILE* file = fopen(path, "rb");
  size_t bytes;
  if (file == NULL) return lfm_conversation_new(conversation, &error);
  bytes = fread(text, 1, sizeof text, file);
  fclose(file);
  return lfm_conversation_from_json(text, bytes, conversation, &error);
}

static lfm_code write_conversation(const char* path, const lfm_conversation* conversation) {
  size_t count, bytes;
  const lfm_message* messages = lfm_conversation_messages(conversation, &count);
  lfm_code code = lfm_messages_to_json(messages, count, NULL, 0, &bytes, &error);
  char* text = code == LFM_OK ? malloc(bytes) : NULL;
  FILE* file = text != NULL ? fopen(path, "wb") : NULL;
  if (file != NULL) {
    code = lfm_messages_to_json(messages, count, text, bytes, &bytes, &error);
    if (code == LFM_OK) fwrite(text, 1, bytes, file);
    fclose(file);
  }
  free(text);
  return code;
}

int main(int argc, char** argv) {
  lfm_engine* engine;
  lfm_session* session;
  lfm_chat* chat;
  lfm_conversation* conversation;
  lfm_message message = {.size = sizeof message, .role = LFM_USER};
  if (argc != 4) return fprintf(stderr, "usage: conversation MODEL.gguf FILE.json QUESTION\n"), 2;
  message.content = argv[3];
  if (lfm_engine_open(argv[1], NULL, &engine, &error) != LFM_OK) return failed();
  if (lfm_session_new(engine, NULL, &session, &error) != LFM_OK) return failed();
  if (lfm_chat_new(engine, NULL, &chat, &error) != LFM_OK) return failed();
  if (read_conversation(argv[2], &conversation) != LFM_OK) return failed();
  if (lfm_conversation_add(conversation, &message, &error) != LFM_OK) return failed();
  if (lfm_conversation_answer(conversation, chat, session, NULL, print, NULL, NULL, NULL, &error) != LFM_OK)
    return failed();
  putchar('\n');
  if (write_conversation(argv[2], conversation) != LFM_OK) return failed();
  lfm_conversation_free(conversation);
  lfm_chat_free(chat);
  lfm_session_free(session);
  lfm_engine_close(engine);
  return 0;
}
