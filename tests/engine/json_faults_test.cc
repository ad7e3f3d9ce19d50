// There is no memory while JSON is read and written: a status each time, whichever allocation fails, and the process
// goes on.
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <vector>

#include "lfm/lfm.h"
#include "support/expect.h"
#include "support/faults.h"
#include "support/hf_folder.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

template <typename T>
Status status_of(Result<T> result) {
  return result.ok() ? Status() : Status(std::move(result).error());
}

// Each allocation fails once, and from then on; returns how many there are.
std::uint64_t expect_survives(const std::function<Status()>& run) {
  expect_ok(run());
  std::uint64_t count = 0;
  {
    const Faults none(Faults::kHeap);
    expect_ok(run());
    count = none.calls();
  }
  for (const bool forever : {false, true}) {
    for (std::uint64_t i = 0; i < count; ++i) {
      Status status;
      {
        const Faults faults(Faults::kHeap, i, ENOMEM, forever);
        status = run();
      }
      if (!status.ok()) {
        const ErrorCode code = status.error().code;  // the system's calls allocate too
        EXPECT_TRUE(code == ErrorCode::kNoMemory || code == ErrorCode::kIo) << status.error().describe();
      }
    }
  }
  return count;
}

constexpr const char* kConversation = R"([
  {"role": "system", "content": [{"type": "text", "text": "Be brief, in every answer that you give."}]},
  {"role": "assistant", "content": null, "reasoning_content": "a long thought about what there is to be done",
   "tool_calls": [{"function": {"name": "get_weather", "arguments": "{\"cities\": [\"Rome\", [[{\"a\": {}}]]]}"}}],
   "tokens": [1, 2, 3]},
  {"role": "tool", "content": "sunny, in a text that is longer than what fits into a string itself"}])";

TEST(JsonFaults, Conversations) {
  const auto messages = messages_from_json(kConversation);
  ASSERT_TRUE(messages.ok());
  EXPECT_GT(expect_survives([] { return status_of(messages_from_json(kConversation)); }), 20u);
  EXPECT_GT(expect_survives([&] { return status_of(to_json(*messages)); }), 5u);
}

TEST(JsonFaults, Schemas) {
  constexpr const char* kSchema = R"({"type": "object", "properties": {
      "a": {"anyOf": [{"type": "string", "maxLength": 3}, {"enum": [1, 2.5, {"deep": [[[]]]}]}]}}, "required": ["a"]})";
  EXPECT_GT(expect_survives([] { return status_of(Constraint::from_json_schema(kSchema)); }), 20u);
}

TEST(JsonFaults, HuggingFaceFolders) {
  TempFolder folder;
  HfFolder(TinyModel{}).write(folder, 2);
  const std::string path = folder.path("");
  EXPECT_GT(expect_survives([&] { return status_of(Tokenizer::open(path)); }), 100u);
}

}  // namespace
}  // namespace lfm::test
