// A child of fork(2) has its parent's engine, but not its threads: every use says so, and none waits for them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>

#include "engine/tiny_engine.h"
#include "support/child.h"
#include "support/expect.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

constexpr unsigned kTooLong = 20;  // seconds

// A child that waits for ever is ended by a signal.
template <typename Body>
void expect_in_child(Body&& body) {
  expect_clean_child("a child", [&] {
    ::alarm(kTooLong);
    return body();
  });
}

template <typename T>
bool is_state(const Result<T>& result) {
  return !result.ok() && result.error().code == ErrorCode::kState && result.error().field == "engine";
}

TEST(Process, AChildMayNotUseAnEngine) {
  const TinyEngine tiny({}, {.threads = 2});
  Session session = tiny.session();
  expect_ok(session.append(random_tokens(5, 1)));
  const Chat chat = Chat::create(tiny.engine()).value();
  const TempFolder folder;
  const std::vector<TokenId> ids = random_tokens(5, 2);
  expect_in_child([&] {
    const Engine& engine = tiny.engine();
    bool good = is_state(session.sync(ids)) && is_state(session.append(ids)) &&
                is_state(session.generate(greedy(1), nullptr)) && is_state(session.fork()) &&
                is_state(session.save(folder.path("saved"))) && is_state(session.load(folder.path("saved")));
    good = good && is_state(chat.answer(session, std::vector<Message>{{Role::kUser, "Why?"}}, {}));
    good = good && is_state(engine.new_session()) && is_state(Diagnostics(engine).measure_limits());
    good = good && is_state(engine.finish_pack_cache()) && is_state(Diagnostics(engine).settle());
    return good && engine.tokenizer().encode("hello").ok() && session.tokens().size() == 5;
  });
  EXPECT_EQ(generate(session, greedy(5)).finish.tokens, 5u);
}

// With all threads that an engine can have, and the file that its weights are mapped from.
TEST(Process, AChildMayLeaveAnEngine) {
  const TempFolder folder;
  const std::string model = folder.write("model.gguf", TinyModel{}.build());
  const EngineOptions options{.threads = 2, .pack_cache = folder.path("cache"), .pack_cache_min_bytes = 0};
  for (int round = 0; round < 4; ++round) {  // packs and writes; maps
    auto engine = std::make_unique<Engine>(Engine::open(model, options).value());
    auto session = std::make_unique<Session>(engine->new_session().value());
    expect_in_child([&] {
      session.reset();
      engine.reset();
      return Engine::open(model, {.threads = 2}).ok();  // and have one of its own
    });
    expect_ok(session->append(random_tokens(5, 1)));
    expect_ok(engine->finish_pack_cache());
  }
}

}  // namespace
}  // namespace lfm::test
