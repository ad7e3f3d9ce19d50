#include "batch/work.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <utility>

#include "base/try.h"
#include "serve/model/request.h"
#include "serve/openai/json.h"

namespace lfm::batch {
namespace {

using serve::Json;

constexpr auto kTold = std::chrono::milliseconds(500);
constexpr auto kSynced = std::chrono::seconds(5);

// Where answers come in, from the service's threads.
class Arrivals {
 public:
  explicit Arrivals(Answers& answers) : answers_(answers) {}

  void add(const std::string& line, bool failed) {
    const std::lock_guard lock(mutex_);
    // After a failure of the file nothing is added any more, so that it has no gaps but at its end.
    if (status_.ok()) status_ = answers_.add(line);
    --running_;
    ++done_;
    failed_ += failed ? 1 : 0;
    came_.notify_one();
  }

  void begin() {
    const std::lock_guard lock(mutex_);
    ++running_;
  }

  // Until fewer than `most` run, or a while has passed. Whether fewer do.
  Result<bool> wait_for_fewer(std::size_t most) {
    std::unique_lock lock(mutex_);
    const bool fewer = came_.wait_for(lock, kTold, [&] { return running_ < most; });
    if (!status_.ok()) return status_.error();
    return fewer;
  }

  void tell(Progress& progress, std::size_t before) const {
    const std::lock_guard lock(mutex_);
    progress.done = before + done_;
    progress.failed = failed_;
  }

  Status sync() {
    const std::lock_guard lock(mutex_);
    return answers_.sync();
  }

 private:
  Answers& answers_;
  mutable std::mutex mutex_;
  std::condition_variable came_;
  std::size_t running_ = 0, done_ = 0, failed_ = 0;
  Status status_;
};

// The way back of one request: its line of the file.
class LineReply final : public serve::Reply {
 public:
  LineReply(std::string id, std::shared_ptr<Arrivals> arrivals) : id_(std::move(id)), arrivals_(std::move(arrivals)) {}
  ~LineReply() override {
    if (!sent_)
      try_send({500, serve::json_text(serve::error_json({500, "the request was let go of without an answer"}))});
  }

  bool try_send(serve::Response response) override {
    if (std::exchange(sent_, true)) return false;
    Json line = {{"id", serve::new_id("batch_req_")}, {"custom_id", id_}};
    auto body = cli::parse_json(response.body);
    line["response"] = {{"status_code", response.status},
                        {"request_id", serve::new_id("req_")},
                        {"body", body.ok() ? *std::move(body) : Json(response.body)}};
    line["error"] = nullptr;
    arrivals_->add(serve::json_text(line) + "\n", response.status != 200);
    return true;
  }

  // Nobody reads while it is written.
  void open(serve::StreamHead) override {
    try_send({400, serve::json_text(serve::error_json({400, "answers of a batch aren't streamed", "stream"}))});
  }
  bool write(std::string_view) override { return false; }
  void close() override {}
  void abandon() override {}
  std::stop_token gone() const noexcept override { return {}; }

 private:
  const std::string id_;
  const std::shared_ptr<Arrivals> arrivals_;
  bool sent_ = false;
};

void ask(serve::Service& service, Request request, std::shared_ptr<Arrivals> arrivals) {
  arrivals->begin();
  auto reply = std::make_shared<LineReply>(std::move(request.id), std::move(arrivals));
  serve::Request asked = {.method = std::move(request.method),
                          .path = std::move(request.path),
                          .query = {},
                          .headers = {{"Host", "localhost"}, {"Content-Type", "application/json"}},
                          .body = std::move(request.body),
                          .local = true};
  if (auto refusal = service.refuse(asked)) return reply->send(*std::move(refusal));
  service.handle(std::move(asked), std::move(reply));
}

// Answers to requests that aren't there mean that the files don't belong together.
Status check_ids(const Requests& requests, const Answers& answers) {
  std::unordered_set<std::string> known;
  for (std::size_t i = 0; i < requests.size(); ++i) known.insert(requests.id(i));
  for (const std::string& id : answers.ids()) {
    if (known.contains(id)) continue;
    return Error{ErrorCode::kArgument,
                 "has an answer to \"" + id + "\", which isn't among these requests; name another file", "-o"};
  }
  return {};
}

}  // namespace

Result<Progress> work(serve::Service& service, Requests& requests, Answers& answers,
                      const std::function<void(const Progress&)>& told) {
  LFM_TRY(check_ids(requests, answers));
  const std::size_t before = answers.ids().size();
  // A slot is busy for a moment after its answer has come: beyond these there is room for as many again.
  const std::size_t most = 2 * service.options().slots;
  const auto arrivals = std::make_shared<Arrivals>(answers);
  Progress progress = {.all = requests.size()};
  auto synced = std::chrono::steady_clock::now();
  const auto wait_for_fewer = [&](std::size_t running) -> Status {
    for (bool fewer = false; !fewer;) {
      LFM_ASSIGN(fewer, arrivals->wait_for_fewer(running));
      arrivals->tell(progress, before);
      told(progress);
      if (std::chrono::steady_clock::now() - synced < kSynced) continue;
      LFM_TRY(arrivals->sync());
      synced = std::chrono::steady_clock::now();
    }
    return {};
  };
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (answers.ids().contains(requests.id(i))) continue;
    LFM_TRY(wait_for_fewer(most));
    LFM_ASSIGN(Request request, requests.read(i));
    ask(service, std::move(request), arrivals);
  }
  LFM_TRY(wait_for_fewer(1));
  LFM_TRY(arrivals->sync());
  return progress;
}

}  // namespace lfm::batch
