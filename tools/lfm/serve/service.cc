#include "serve/service.h"

#include <exception>
#include <new>
#include <utility>

#include "serve/http/words.h"
#include "serve/routes.h"

namespace lfm::serve {
namespace {

constexpr unsigned kLoadingPatience = 2;   // seconds
constexpr unsigned kDrainingPatience = 5;  // until another server is there, say

bool is_json(std::string_view type) {
  type = trimmed(type.substr(0, type.find(';')));
  return same_word(type, "application/json");
}

}  // namespace

Service::Service(ServiceOptions options) : options_(std::move(options)), access_(options_.access) {
  for (std::size_t i = 0; i < options_.readers; ++i) readers_.emplace_back([this] { read_requests(); });
}

Service::~Service() {
  static_cast<void>(end());
}

Status Service::end() {
  stop_loading_.request_stop();
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  some_waiting_.notify_all();
  for (std::thread& reader : readers_) reader.join();
  readers_.clear();
  if (loader_.joinable()) loader_.join();
  slots_.reset();
  if (!ready_.exchange(false) || options_.sessions_folder.empty() || !left_out_.empty()) return {};
  return model_->pool().save(options_.sessions_folder);
}

void Service::set_gauges(std::function<std::size_t()> connections, std::function<bool()> draining) {
  connections_ = std::move(connections);
  draining_ = std::move(draining);
}

void Service::load(Open open, std::function<void(const Status&)> loaded) {
  loader_ = std::thread([this, open = std::move(open), loaded = std::move(loaded)] {
    auto engine = open(stop_loading_.get_token(), [this](std::uint64_t done, std::uint64_t all) {
      progress_ = all == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(all);
      return true;
    });
    if (!engine.ok()) return loaded(std::move(engine).error());
    auto model = Model::create(*std::move(engine), options_.model);
    if (!model.ok()) return loaded(std::move(model).error());
    model_ = *std::move(model);
    if (!options_.sessions_folder.empty()) {
      auto kept = model_->pool().load(options_.sessions_folder);
      if (kept.ok()) {
        left_out_ = std::move(kept->left_out);
      } else {
        left_out_.push_back(std::move(kept).error());
      }
    }
    slots_ = std::make_unique<Slots>(*model_, metrics_, options_.slots, options_.queue);
    progress_ = 1;
    ready_ = true;
    loaded({});
  });
}

Gauges Service::gauges() const {
  Gauges now;
  if (connections_) now.connections = connections_();
  if (!ready_) return now;
  now.slots = slots_->count();
  now.busy = slots_->busy();
  now.queued = slots_->queued();
  now.pool = model_->pool().stats();
  return now;
}

std::optional<ApiError> Service::unavailable() const {
  if (draining_ && draining_())
    return ApiError{503, "the server is about to end", "", "shutting_down", kDrainingPatience};
  if (!ready_) return ApiError{503, "the model is being loaded", "", "loading", kLoadingPatience};
  return std::nullopt;
}

std::optional<Response> Service::refuse(const Request& head) {
  const Found found = find_route(head.method, head.path);
  const ErrorForm form = found.route != nullptr ? found.route->error_form : usual_error_form();
  const auto refusal = [&](const ApiError& error) {
    metrics_.count_response(error.status);
    Response response = form(error);
    for (auto& header : access_.for_page(head)) response.headers.push_back(std::move(header));
    return response;
  };
  if (const auto error = access_.refuse(head, found.route != nullptr && found.route->open)) return refusal(*error);
  if (head.method == "OPTIONS") return Response{204, "", "", access_.for_page(head)};
  if (found.route == nullptr && found.allowed.empty())
    return refusal({404, "there is nothing at " + head.method + " " + head.path, "", "not_found"});
  if (found.route == nullptr) {
    Response response = refusal({405, head.path + " takes " + found.allowed, "", "method_not_allowed"});
    response.headers.emplace_back("Allow", found.allowed);
    return response;
  }
  // What a page may send elsewhere without asking is no JSON.
  if (head.method == "POST" && !is_json(head.header("Content-Type")))
    return refusal({415, "a body has to be 'Content-Type: application/json'", "Content-Type"});
  if (!found.route->needs_model) return std::nullopt;
  if (const auto error = unavailable()) return refusal(*error);
  return std::nullopt;
}

Response Service::failure(int status, std::string sentence) {
  metrics_.count_response(status);
  return usual_error_form()(ApiError{status, std::move(sentence), "", "", status == 503 ? kLoadingPatience : 0});
}

namespace {

// Counts what is answered, and lets the browser of a page that may ask read it.
class Counted final : public Reply {
 public:
  Counted(ReplyPointer reply, Metrics& metrics, Headers headers)
      : reply_(std::move(reply)), metrics_(metrics), headers_(std::move(headers)) {}

  bool try_send(Response response) override {
    const int status = response.status;
    for (const auto& header : headers_) response.headers.push_back(header);
    if (!reply_->try_send(std::move(response))) return false;
    metrics_.count_response(status);
    return true;
  }
  void open(StreamHead head) override {
    for (const auto& header : headers_) head.headers.push_back(header);
    reply_->open(std::move(head));
  }
  bool write(std::string_view bytes) override {
    if (!std::exchange(begun_, true)) metrics_.count_response(200);
    return reply_->write(bytes);
  }
  void close() override { reply_->close(); }
  void abandon() override { reply_->abandon(); }
  std::stop_token gone() const noexcept override { return reply_->gone(); }

 private:
  const ReplyPointer reply_;
  Metrics& metrics_;
  const Headers headers_;
  bool begun_ = false;
};

}  // namespace

void Service::handle(Request request, ReplyPointer reply) {
  const Found found = find_route(request.method, request.path);
  if (found.route == nullptr) return;  // refuse() was asked before
  reply = std::make_shared<Counted>(std::move(reply), metrics_, access_.for_page(request));
  if (found.route->place == Place::kNetwork) return run(*found.route, request, std::move(reply));
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({found.route, std::move(request), std::move(reply)});
  }
  some_waiting_.notify_one();
}

void Service::run(const Route& route, const Request& request, ReplyPointer reply) {
  try {
    // While the body came, the server may have been told to end.
    const auto error = route.needs_model ? unavailable() : std::nullopt;
    if (error) return reply->send(route.error_form(*error));
    route.handler(Call{*this, request, reply, find_route(request.method, request.path).rest});
  } catch (const std::bad_alloc&) {
    reply->send(route.error_form({503, "there isn't enough memory for this request", "", "", kLoadingPatience}));
  } catch (const std::exception& error) {
    reply->send(route.error_form({500, error.what()}));
  }
}

void Service::read_requests() {
  for (;;) {
    Waiting one;
    {
      std::unique_lock lock(mutex_);
      some_waiting_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (ending_) return;
      one = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (!one.reply->gone().stop_requested()) run(*one.route, one.request, std::move(one.reply));
  }
}

void Service::submit(ChatRequest request, std::unique_ptr<AnswerWriter> writer, std::stop_token gone) {
  auto prepared = model_->prepare(std::move(request));
  if (!prepared.ok()) return writer->fail(model_->refusal(prepared.error()));
  Job job{*std::move(prepared), std::move(writer), {std::move(gone), Deadline::clock::now() + options_.limits.time}};
  if (slots_->submit(job)) return;
  job.writer->fail(
      {429, "there are as many requests waiting as this server takes", "", "queue_full", slots_->patience()});
}

Result<Json> read_json(const Call& call) {
  const RequestLimits& limits = call.service.options().limits;
  return read_body(call.request.body, {static_cast<int>(limits.depth), limits.members});
}

}  // namespace lfm::serve
