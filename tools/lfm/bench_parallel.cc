#include "bench_parallel.h"

#include <barrier>
#include <chrono>
#include <functional>
#include <thread>

#include "bench_tokens.h"

namespace lfm::cli {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point start, Clock::time_point end) {
  return std::chrono::duration<double>(end - start).count();
}

// One session's part.
struct Member {
  Session session;
  std::vector<TokenId> prompt;
  std::vector<TokenId> generated;
  std::vector<double> gaps = {};  // milliseconds a token
  Status status = {};

  void read() {
    if (!prompt.empty()) status = session.append(prompt);
  }
  void generate() {
    for (std::size_t i = 0; i < generated.size() && status.ok(); ++i) {
      const Clock::time_point start = Clock::now();
      status = session.append({&generated[i], 1});
      gaps.push_back(seconds_between(start, Clock::now()) * 1e3);
    }
  }
};

Status run_once(std::vector<Member>& members, ParallelResult& result) {
  std::vector<Clock::time_point> marks;  // all are here, all have read, all have generated
  marks.reserve(3);
  const auto mark = [&marks]() noexcept { marks.push_back(Clock::now()); };
  std::barrier meet(static_cast<std::ptrdiff_t>(members.size()), mark);
  std::vector<std::jthread> threads;
  for (Member& member : members) {
    threads.emplace_back([&member, &meet] {
      meet.arrive_and_wait();
      member.read();
      meet.arrive_and_wait();
      member.generate();
      meet.arrive_and_wait();
    });
  }
  threads.clear();
  for (Member& member : members) {
    if (!member.status.ok()) return std::move(member.status);
    result.gaps.push_back(std::move(member.gaps));
  }
  result.prompt_seconds.push_back(seconds_between(marks[0], marks[1]));
  result.generate_seconds.push_back(seconds_between(marks[1], marks[2]));
  return {};
}

}  // namespace

Result<ParallelResult> run_parallel(const Engine& engine, const CacheTypes& cache, const ParallelTest& test,
                                    std::size_t repetitions, std::uint64_t& random) {
  ParallelResult result;
  result.test = test;
  const std::size_t vocabulary = engine.info().vocabulary;
  for (std::size_t repetition = 0; repetition < repetitions; ++repetition) {
    std::vector<Member> members;
    for (std::size_t i = 0; i < test.sessions; ++i) {
      auto session = engine.new_session(cache.session(test.depth + test.prompt + test.generated));
      if (!session.ok()) return std::move(session).error();
      if (auto status = session->append(random_tokens(test.depth, vocabulary, random)); !status.ok()) {
        return std::move(status).error();
      }
      members.push_back({*std::move(session), random_tokens(test.prompt, vocabulary, random),
                         random_tokens(test.generated, vocabulary, random)});
    }
    if (auto status = run_once(members, result); !status.ok()) return std::move(status).error();
  }
  return result;
}

}  // namespace lfm::cli
