#include "talk/advice.h"

#include "model_options.h"

namespace lfm::cli {

Error with_advice(Error error, const Talk& talk) {
  if (error.code == ErrorCode::kLimit && error.field == "tokens") error.message += "; " + room_advice(talk);
  return error;
}

std::string finish_note(const Finish& finish) {
  return finish.describe() + (finish.reason == FinishReason::kLength ? "; -n allows more" : "");
}

std::string room_advice(const Talk& talk) {
  return "/clear forgets the conversation, /undo its last question" +
         room_for_more(talk.context_tokens(), talk.engine().info());
}

}  // namespace lfm::cli
