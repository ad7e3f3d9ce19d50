// Who takes part in the next pass: any queue, beside the rules.
#include "engine/runtime/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <random>
#include <vector>

#include "support/loaded.h"
#include "support/tiny_model.h"

namespace lfm::test {
namespace {

using engine::Job;
using engine::kRowsBesideTokens;
using engine::Share;

const std::vector<std::int32_t> kTokens(4096, 1);

struct Jobs {
  Job& add(std::size_t tokens, bool generates = false) {
    Job& job = all.emplace_back();
    job.run.tokens = std::span(kTokens).first(tokens);
    job.generates = generates;
    queue.push_back(&job);
    return job;
  }
  std::vector<Share> next(std::size_t most_rows) {
    std::array<Share, model::kMaxRuns> room;
    const std::size_t count = engine::share_out(queue, most_rows, room);
    return {room.begin(), room.begin() + static_cast<std::ptrdiff_t>(count)};
  }

  std::deque<Job> all;
  std::vector<Job*> queue;
};

std::vector<std::size_t> rows_of(const std::vector<Share>& shares) {
  std::vector<std::size_t> rows;
  for (const Share& share : shares) rows.push_back(share.rows);
  return rows;
}

using Rows = std::vector<std::size_t>;

TEST(Schedule, APromptAloneHasAllRows) {
  Jobs jobs;
  jobs.add(512);
  EXPECT_EQ(rows_of(jobs.next(512)), Rows{512});
  EXPECT_EQ(rows_of(jobs.next(100)), Rows{100});
}

TEST(Schedule, PromptsShareFirstComeFirstServed) {
  Jobs jobs;
  for (const std::size_t tokens : {300, 300, 300}) jobs.add(tokens);
  EXPECT_EQ(rows_of(jobs.next(512)), (Rows{300, 212}));
}

TEST(Schedule, EverySingleTokenComesAlong) {
  Jobs jobs;
  for (const std::size_t tokens : {512, 1, 512, 1, 1}) jobs.add(tokens);
  EXPECT_EQ(rows_of(jobs.next(512)), (Rows{kRowsBesideTokens, 1, 1, 1}));
  EXPECT_EQ(rows_of(jobs.next(20)), (Rows{17, 1, 1, 1}));
}

TEST(Schedule, WhoeverGeneratesHasAllItsTokens) {
  Jobs jobs;
  jobs.add(512);
  jobs.add(9, true);
  jobs.add(1);
  jobs.add(200);
  jobs.add(5, true);
  EXPECT_EQ(rows_of(jobs.next(512)), (Rows{kRowsBesideTokens, 9, 1, 5}));
  EXPECT_EQ(rows_of(jobs.next(12)), (Rows{1, 9, 1, 1}));  // no room for more
  EXPECT_EQ(rows_of(jobs.next(4)), (Rows{1, 3}));
}

// Of a job's last rows, however they are cut.
TEST(Schedule, OutputsGoWhereTheyBelong) {
  std::mt19937 random(6);
  constexpr std::size_t kStride = 16;
  std::vector<float> logits(100 * kStride);
  const Result<Loaded> loaded = load(TinyModel{}.builder());
  model::State state = *model::State::create(loaded->config, 200);
  for (int round = 0; round < 1000; ++round) {
    Job job;
    job.run.state = &state;
    job.run.tokens = std::span(kTokens).first(1 + random() % 100);
    job.run.outputs = random() % (job.run.tokens.size() + 1);
    job.logits = logits.data();
    job.stride = kStride;
    std::size_t given = 0;
    while (job.left() > 0) {
      const std::size_t rows = 1 + random() % job.left();
      const model::Run part = job.next(rows);
      EXPECT_LE(part.outputs, rows);
      if (part.outputs > 0) {
        EXPECT_EQ(job.next_logits(), logits.data() + given * kStride);
      }
      given += part.outputs;
      job.done += rows;
    }
    EXPECT_EQ(given, job.run.outputs);
  }
}

TEST(Schedule, ThePromptThatIsFirstGetsARow) {
  Jobs jobs;
  jobs.add(512);
  for (int i = 0; i < 100; ++i) jobs.add(1);
  EXPECT_EQ(jobs.next(512).size(), model::kMaxRuns);
  EXPECT_EQ(jobs.next(512)[0].rows, kRowsBesideTokens);
  EXPECT_EQ(rows_of(jobs.next(4)), (Rows{1, 1, 1, 1}));
  EXPECT_EQ(rows_of(jobs.next(1)), Rows{1});
}

TEST(Schedule, WhatWantsTheTeamForItselfIsPassedOver) {
  Jobs jobs;
  jobs.add(1);
  jobs.add(0);
  jobs.add(1);
  const std::vector<Share> shares = jobs.next(8);
  EXPECT_EQ(rows_of(shares), (Rows{1, 1}));
  EXPECT_EQ(shares[1].job, jobs.queue[2]);
}

TEST(Schedule, NobodyStarves) {
  std::mt19937 random(5);
  const auto below = [&](std::size_t n) { return random() % n; };
  for (int round = 0; round < 100; ++round) {
    const std::size_t most_rows = round % 10 == 0 ? 1 + below(8) : 1 + below(600);
    Jobs jobs;
    std::vector<std::size_t> ahead;  // work in front of each job when it came, in passes
    std::vector<std::size_t> waited;
    for (int pass = 0; pass < 300; ++pass) {
      for (std::size_t come = below(4); come > 0 && jobs.queue.size() < 60; --come) {
        std::size_t work = 1;
        for (const Job* job : jobs.queue) work += job->left();
        ahead.push_back(work);
        waited.push_back(0);
        const bool generates = below(3) == 0;
        jobs.add(below(2) == 0 ? 1 : 1 + below(generates ? 32 : 700), generates);
      }
      if (jobs.queue.empty()) continue;
      const std::vector<Share> shares = jobs.next(most_rows);
      ASSERT_FALSE(shares.empty());
      ASSERT_LE(shares.size(), model::kMaxRuns);
      ASSERT_EQ(shares[0].job, jobs.queue[0]);
      std::size_t rows = 0, prompt_rows = 0;
      auto place = jobs.queue.begin();
      for (const Share& share : shares) {
        place = std::find(place, jobs.queue.end(), share.job);
        ASSERT_NE(place, jobs.queue.end());  // in the queue's order, each once
        ++place;
        ASSERT_GE(share.rows, 1u);
        ASSERT_LE(share.rows, share.job->left());
        rows += share.rows;
        if (!share.job->goes_first()) prompt_rows += share.rows;
      }
      ASSERT_LE(rows, most_rows);
      if (rows > prompt_rows) {
        ASSERT_LE(prompt_rows, kRowsBesideTokens);
      }
      for (const Share& share : shares) share.job->done += share.rows;
      for (std::size_t i = 0; i < jobs.all.size(); ++i) {
        if (jobs.all[i].over()) continue;
        ++waited[i];
        ASSERT_LE(waited[i], ahead[i] + jobs.all[i].run.tokens.size());
      }
      std::erase_if(jobs.queue, [](const Job* job) { return job->over(); });
    }
  }
}

}  // namespace
}  // namespace lfm::test
