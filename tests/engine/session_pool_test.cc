// A pool's answers are those of sessions that read everything anew, whoever asks when; and what it reads is what is
// new.
#include "lfm/session_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <random>
#include <thread>

#include "engine/tiny_engine.h"
#include "support/expect.h"
#include "support/same_bits.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

constexpr TokenId kThink = 3, kCallStart = 10;

TinyModel thinking_model() {
  TinyModel model;
  model.thinks = true;
  return model;
}

SessionPool pool_of(const Engine& engine, const SessionPoolOptions& options = {}) {
  auto pool = SessionPool::create(engine, options);
  if (!pool.ok()) throw std::runtime_error(pool.error().describe());
  return *std::move(pool);
}

Chat chat_of(const Engine& engine, const ChatOptions& options = {.form = ChatForm::kLfm2}) {
  return Chat::create(engine, options).value();
}

// Answers of random tokens, which may think first and don't leave anything open.
GenerateOptions seeded(std::uint64_t seed, std::size_t tokens = 12) {
  GenerateOptions options{.max_tokens = tokens};
  options.sampling = SamplingOptions{.seed = seed};
  options.sampling.logit_bias = {{kCallStart, -std::numeric_limits<float>::infinity()}};
  if (seed % 2 == 0) options.sampling.logit_bias.push_back({kThink, -std::numeric_limits<float>::infinity()});
  options.thinking_budget = 4;
  return options;
}

// As clients send it back.
Message as_text(Message message) {
  message.tokens.clear();
  message.reasoning.clear();
  return message;
}

TEST(SessionPool, TakesTheLongestBeginning) {
  const TinyEngine tiny;
  const SessionPool pool = pool_of(tiny.engine());
  const std::vector<TokenId> ids = random_tokens(150, 1);
  Session first = *pool.take(ids);
  EXPECT_TRUE(first.tokens().empty());
  expect_ok(first.sync(ids));
  expect_ok(pool.keep(first));
  std::vector<TokenId> other(ids.begin(), ids.begin() + 100);
  other.push_back(7);
  Session second = *pool.take(other);
  EXPECT_EQ(second.tokens().size(), 96u);
  expect_ok(second.sync(other));
  Session fresh = tiny.session();
  expect_ok(fresh.sync(other));
  expect_same_bits(fresh.logits(), second.logits());
  // The same again needs nothing, not even its last token.
  const Session third = *pool.take(ids);
  EXPECT_EQ(third.tokens().size(), 150u);
  expect_same_bits(third.logits(), first.logits());
  EXPECT_EQ(pool.stats().taken, 3u);
  EXPECT_EQ(pool.stats().taken_tokens, 246u);
}

TEST(SessionPool, ASecondUserReadsOnlyTheQuestion) {
  const TinyEngine tiny;
  const SessionPool pool = pool_of(tiny.engine());
  const Chat chat = chat_of(tiny.engine());
  const Message system = {Role::kSystem, std::string(300, 'S')};
  const std::vector<Message> one = {system, {Role::kUser, "One?"}}, two = {system, {Role::kUser, "And two?"}};
  std::vector<std::size_t> ends;
  const auto prompt = chat.render(two, true, &ends);
  ASSERT_TRUE(prompt.ok() && ends.size() == 2);
  expect_ok(pool.answer(chat, one, seeded(1)));
  const auto answer = pool.answer(chat, two, seeded(2));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->prompt.reused, ends[0]);
  EXPECT_EQ(answer->prompt.evaluated, prompt->size() - ends[0]);
}

// A history that comes back as text is read as what was said; what was thought is there where the form has a place for
// it.
TEST(SessionPool, AHistoryAsTextCostsNothing) {
  for (const bool thinks : {false, true}) {
    const TinyEngine tiny(thinks ? thinking_model() : TinyModel());
    const SessionPool pool = pool_of(tiny.engine());
    const Chat chat = chat_of(tiny.engine(), {.form = ChatForm::kLfm2, .date = "2026-11-28"});
    std::vector<Message> messages = {{Role::kSystem, "Be brief."}};
    EXPECT_EQ(pool.date(messages), "");
    std::size_t held = 0;
    for (std::uint64_t turn = 0; turn < 5; ++turn) {
      messages.push_back({Role::kUser, "Turn " + std::to_string(turn)});
      const auto answer = pool.answer(chat, messages, seeded(turn));
      ASSERT_TRUE(answer.ok()) << answer.error().describe();
      EXPECT_EQ(answer->prompt.reused, held) << turn;
      held = answer->prompt.reused + answer->prompt.evaluated + answer->finish.tokens;
      messages.push_back(as_text(answer->message));
      messages.back().content = "\n" + messages.back().content + "  ";
      EXPECT_EQ(pool.date(messages), "2026-11-28");
    }
    EXPECT_EQ(pool.stats().answers, 5u);
  }
}

TEST(SessionPool, CallsAreKnownHoweverTheyAreSpelt) {
  const TinyEngine tiny(thinking_model());
  const SessionPool pool = pool_of(tiny.engine());
  const Chat chat = chat_of(tiny.engine());
  const std::vector<Message> before = {{Role::kUser, "Weather?"}};
  Message said = {.role = Role::kAssistant, .reasoning = "Paris it is.", .tokens = {20, 21}};
  said.tool_calls = {{"get", R"({"city": "Paris", "days": [1, 2]})"}};
  expect_ok(pool.remember(chat, before, said));
  std::vector<Message> messages = before;
  messages.push_back(as_text(said));
  messages[1].tool_calls[0].arguments = R"({"city":"Paris","days":[1,2]})";
  std::vector<Message> recalled = messages;
  expect_ok(pool.recall(recalled));
  EXPECT_EQ(recalled[1].reasoning, said.reasoning);
  EXPECT_EQ(recalled[1].tokens, said.tokens);
  EXPECT_EQ(recalled[1].tool_calls, said.tool_calls);
  // What differs is another answer; and the same one to another question is none of ours.
  std::vector<Message> others = messages;
  others[1].tool_calls[0].arguments = R"({"city":"Rome","days":[1,2]})";
  expect_ok(pool.recall(others));
  EXPECT_TRUE(others[1].tokens.empty() && others[1].reasoning.empty());
  others = messages;
  others[0].content = "Weather!";
  expect_ok(pool.recall(others));
  EXPECT_TRUE(others[1].tokens.empty() && others[1].reasoning.empty());
  others = messages;
  others[1].reasoning = "Rome it is.";
  expect_ok(pool.recall(others));
  EXPECT_TRUE(others[1].tokens.empty());
  EXPECT_EQ(others[1].reasoning, "Rome it is.");
}

TEST(SessionPool, RememberedAnswersHaveABound) {
  const TinyEngine tiny;
  const SessionPool pool = pool_of(tiny.engine(), {.answer_bytes = 20000});
  const Chat chat = chat_of(tiny.engine());
  for (int i = 0; i < 200; ++i) {
    const std::vector<Message> before = {{Role::kUser, std::to_string(i)}};
    expect_ok(pool.remember(chat, before, {.role = Role::kAssistant, .content = "a", .tokens = random_tokens(40, 1)}));
    EXPECT_LE(pool.stats().answer_bytes, 20000u);
  }
  EXPECT_GT(pool.stats().answers, 20u);
  std::vector<Message> last = {{Role::kUser, "199"}, {Role::kAssistant, "a"}}, first = last;
  first[0].content = "0";
  expect_ok(pool.recall(last));
  expect_ok(pool.recall(first));
  EXPECT_FALSE(last[1].tokens.empty());
  EXPECT_TRUE(first[1].tokens.empty());
}

TEST(SessionPool, ReadsAnswersOfOnesOwn) {
  const TinyEngine tiny(thinking_model());
  const Chat chat = chat_of(tiny.engine());
  const std::vector<Message> messages = {{Role::kUser, "Why?"}};
  Session session = tiny.session();
  const auto answer = chat.answer(session, messages, seeded(3));
  ASSERT_TRUE(answer.ok());
  const auto prompt = chat.render(messages);
  const auto read = chat.read_answer(*prompt, session.tokens());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->content, answer->message.content);
  EXPECT_EQ(read->reasoning, answer->message.reasoning);
  EXPECT_EQ(read->tokens, answer->message.tokens);
  expect_error(chat.read_answer(session.tokens(), *prompt), ErrorCode::kArgument, "tokens");
}

TEST(SessionPool, SessionsAndChatsAreOfThePoolsEngine) {
  const TinyEngine tiny, other;
  const SessionPool pool = pool_of(tiny.engine());
  Session session = other.session();
  expect_ok(session.append(random_tokens(40, 1)));
  expect_error(pool.keep(session), ErrorCode::kArgument, "session");
  Session short_keys = TinyEngine::new_session(tiny.engine(), kQ8Cache);
  expect_ok(short_keys.append(random_tokens(40, 1)));
  expect_error(pool.keep(short_keys), ErrorCode::kArgument, "session");
  Session narrow = tiny.session(100);
  expect_ok(narrow.append(random_tokens(40, 1)));
  expect_error(pool.keep(narrow), ErrorCode::kArgument, "session");
  const std::vector<Message> messages = {{Role::kUser, "Why?"}};
  expect_error(pool.answer(chat_of(other.engine()), messages, seeded(1)), ErrorCode::kArgument, "chat");
  expect_error(SessionPool::create(tiny.engine(), {.session = {.context_tokens = 1 << 20}}), ErrorCode::kLimit, "");
  EXPECT_EQ(pool.stats().states, 0u);
}

// Users with a system prompt in common or without, who go on, edit, ask again, send half and are cut short, beside
// sessions that know nothing.
class RandomUsers {
 public:
  RandomUsers(const Engine& engine, const SessionPool& pool, std::uint32_t seed)
      : engine_(engine), pool_(pool), chat_(chat_of(engine)), random_(seed), conversations_(3) {}

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) step();
  }
  std::size_t reused() const noexcept { return reused_; }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }

  void step() {
    std::vector<Message>& known = conversations_[below(conversations_.size())];  // with tokens and thinking
    if (known.size() > 9 || (below(8) == 0 && !known.empty())) known.clear();
    if (known.empty() && below(3) > 0) known.push_back({Role::kSystem, std::string(100 + below(2), 'S')});
    if (!known.empty() && known.back().role == Role::kUser && below(2) == 0) {
      known.back().content += "?";  // an edit; otherwise the same again
    } else if (known.empty() || known.back().role != Role::kUser) {
      known.push_back({Role::kUser, std::string(1 + below(40), static_cast<char>('a' + below(3)))});
    }
    std::vector<Message> sent;
    for (const Message& message : known) sent.push_back(as_text(message));

    GenerateOptions options = seeded(below(1000), 1 + below(20));
    const auto answer = pool_.answer(chat_, sent, options);
    ASSERT_TRUE(answer.ok()) << answer.error().describe();
    Session fresh = TinyEngine::new_session(engine_);
    const auto expected = chat_.answer(fresh, known, options);
    ASSERT_TRUE(expected.ok()) << expected.error().describe();
    EXPECT_EQ(answer->message.tokens, expected->message.tokens);
    EXPECT_EQ(answer->message.content, expected->message.content);
    EXPECT_EQ(answer->message.reasoning, expected->message.reasoning);
    EXPECT_EQ(answer->prompt.reused + answer->prompt.evaluated, expected->prompt.evaluated);
    EXPECT_LE(pool_.stats().bytes, pool_.stats().most_bytes);
    reused_ += answer->prompt.reused;
    if (below(5) > 0) known.push_back(expected->message);
  }

  const Engine& engine_;
  const SessionPool& pool_;
  const Chat chat_;
  std::mt19937 random_;
  std::vector<std::vector<Message>> conversations_;
  std::size_t reused_ = 0;
};

TEST(SessionPool, AnswersAreThoseOfFreshSessions) {
  for (const std::uint64_t bytes : {std::uint64_t{1} << 30, std::uint64_t{120000}, std::uint64_t{1}}) {
    const TinyEngine tiny(thinking_model());
    const SessionPool pool = pool_of(tiny.engine(), {.bytes = bytes});
    RandomUsers users(tiny.engine(), pool, 3);
    users.run(120);
    EXPECT_EQ(users.reused() > 0, bytes > 1);
    EXPECT_EQ(pool.stats().evicted > 0, bytes < (1u << 30));
  }
}

TEST(SessionPool, OnManyThreads) {
  const TinyEngine tiny(thinking_model(), {.threads = 2});
  const SessionPool pool = pool_of(tiny.engine(), {.bytes = 400000});
  std::atomic<bool> over = false;
  std::thread other([&] {
    while (!over) {
      auto session = pool.take(random_tokens(60, 1));
      if (session.ok() && session->sync(random_tokens(60, 1)).ok()) (void)pool.keep(*session);
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] { RandomUsers(tiny.engine(), pool, 20 + i % 2).run(25); });
  }
  for (std::thread& thread : threads) thread.join();
  over = true;
  other.join();
}

// Ended on its way, what was read until then stays read.
TEST(SessionPool, WhatACancelledOneHasReadIsKept) {
  const TinyEngine tiny({}, {.threads = 1, .chunk_tokens = 64});
  const SessionPool pool = pool_of(tiny.engine());
  const Chat chat = chat_of(tiny.engine());
  const std::vector<Message> messages = {{Role::kUser, std::string(600, 'u')}};
  GenerateOptions options = seeded(1);
  options.prompt_progress = [](std::uint64_t done, std::uint64_t) { return done < 300; };
  const auto cut = pool.answer(chat, messages, options);
  ASSERT_TRUE(cut.ok());
  EXPECT_EQ(cut->finish.reason, FinishReason::kCancelled);
  const auto whole = pool.answer(chat, messages, seeded(1));
  ASSERT_TRUE(whole.ok());
  EXPECT_GE(whole->prompt.reused, 300u);
  EXPECT_EQ(whole->prompt.reused, cut->prompt.evaluated);
}

// A pool's files are of its own kind of cache, also where another pool's lie in the folder.
TEST(SessionPool, KeepsKeysAndValuesOf8Bits) {
  const TinyEngine tiny;
  const TempFolder folder;
  const std::string path = folder.path("sessions");
  const Chat chat = chat_of(tiny.engine());
  const std::vector<Message> messages = {{Role::kSystem, std::string(200, 'S')}, {Role::kUser, "One?"}};
  const auto pool = SessionPool::create(tiny.engine(), {.session = kQ8Cache}), f16 = SessionPool::create(tiny.engine());
  ASSERT_TRUE(pool.ok() && f16.ok());
  expect_ok(f16->answer(chat, messages, seeded(1, 1)));
  expect_ok(f16->save(path));
  const auto answer = pool->answer(chat, messages, seeded(1, 1));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->prompt.reused, 0u);
  expect_ok(pool->save(path));

  const auto again = SessionPool::create(tiny.engine(), {.session = kQ8Cache});
  EXPECT_EQ(again->load(path)->states, 1u);
  const auto known = again->answer(chat, messages, seeded(1, 1));
  ASSERT_TRUE(known.ok());
  EXPECT_GT(known->prompt.reused, 200u);
  EXPECT_EQ(known->message.content, answer->message.content);
  Session fresh = TinyEngine::new_session(tiny.engine(), kQ8Cache);
  EXPECT_EQ(chat.answer(fresh, messages, seeded(1, 1))->message.content, answer->message.content);
  EXPECT_EQ(f16->load(path)->left_out.size(), 1u);
}

TEST(SessionPool, SavesAndLoads) {
  const TinyEngine tiny;
  const TempFolder folder;
  const std::string path = folder.path("sessions/here");
  const Chat chat = chat_of(tiny.engine());
  std::vector<Message> one = {{Role::kSystem, std::string(200, 'S')}, {Role::kUser, "One?"}}, two = one;
  two[1].content = "Two?";
  const SessionPool pool = pool_of(tiny.engine());
  EXPECT_EQ(pool.load(path)->states, 0u);
  expect_ok(pool.answer(chat, one, seeded(1)));
  expect_ok(pool.answer(chat, two, seeded(2)));
  EXPECT_EQ(pool.stats().states, 3u);
  expect_ok(pool.save(path));
  const std::vector<std::string> names = folder.files("sessions/here");
  EXPECT_EQ(names.size(), 2u);
  const auto inode = [&](const std::string& name) { return std::filesystem::last_write_time(path + "/" + name); };
  std::vector<std::filesystem::file_time_type> times;
  for (const std::string& name : names) times.push_back(inode(name));
  folder.write("sessions/here/0005-0123456789abcdef.session", "nonsense");
  folder.write("sessions/here/mine.txt", "mine");

  const SessionPool again = pool_of(tiny.engine());
  const auto loaded = again.load(path);
  ASSERT_TRUE(loaded.ok()) << loaded.error().describe();
  EXPECT_EQ(loaded->states, 2u);
  ASSERT_EQ(loaded->left_out.size(), 1u);
  EXPECT_EQ(loaded->left_out[0].field, "0005-0123456789abcdef.session");
  const auto answer = again.answer(chat, two, seeded(2));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->prompt.evaluated, 1u);
  const auto third = again.answer(chat, std::vector<Message>{one[0], {Role::kUser, "3?"}}, seeded(2));
  EXPECT_GT(third->prompt.reused, 200u);

  // What hasn't changed isn't written again, and what nobody can use goes.
  expect_ok(pool.save(path));
  EXPECT_EQ(folder.files("sessions/here").size(), 3u);
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(inode(names[i]), times[i]);
  pool.clear();
  expect_ok(pool.save(path));
  EXPECT_EQ(folder.files("sessions/here"), std::vector<std::string>{"mine.txt"});
}

}  // namespace
}  // namespace lfm::test
