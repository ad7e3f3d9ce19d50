// The server without its network: loads the model, knows who is asked what, and has the threads that answer.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "serve/fields.h"
#include "serve/http/access.h"
#include "serve/http/application.h"
#include "serve/limits.h"
#include "serve/metrics.h"
#include "serve/model/model.h"
#include "serve/model/slots.h"

namespace lfm::serve {

struct ServiceOptions {
  AccessRules access = {};
  RequestLimits limits = {};
  ModelSettings model = {};
  std::string sessions_folder = {};  // where conversations are kept from one start to the next; empty: nowhere
  std::size_t slots = 4;
  std::size_t queue = 32;
  std::size_t readers = 2;    // threads on which requests are read and checked
  bool strict_model = false;  // a request for a model of another name is refused
  bool metrics = false;       // whether these endpoints are there
  bool show_slots = false;
};

struct Call;
struct Route;

class Service final : public Application {
 public:
  explicit Service(ServiceOptions options);
  ~Service() override;

  // Opens the model on a thread of its own; until that has ended, requests are answered with 503. `open` is what opens
  // it; `loaded` is told, on that thread, how it went.
  using Open = std::function<Result<Engine>(std::stop_token, ProgressCallback)>;
  void load(Open open, std::function<void(const Status&)> loaded);

  // Of the network, which isn't known when the service is made.
  void set_gauges(std::function<std::size_t()> connections, std::function<bool()> draining);

  // What the folder of conversations has that this model can't use, once it is loaded. It may be another model's: where
  // there is any, the folder stays as it is, and none are kept at the end.
  const std::vector<Error>& left_out() const noexcept { return left_out_; }

  // Ends what runs. No request comes any more. What goes wrong with keeping conversations is the error.
  Status end();

  std::optional<Response> refuse(const Request& head) override;
  void handle(Request request, ReplyPointer reply) override;
  Response failure(int status, std::string sentence) override;

  // What routes need. The model and its slots are there once it is loaded, which those see to that ask for it.
  const ServiceOptions& options() const noexcept { return options_; }
  const Model& model() const noexcept { return *model_; }
  const Slots& slots() const noexcept { return *slots_; }
  const Metrics& metrics() const noexcept { return metrics_; }
  Gauges gauges() const;
  bool loaded() const noexcept { return ready_; }
  std::optional<ApiError> unavailable() const;                 // why nothing that needs the model can be answered
  double load_progress() const noexcept { return progress_; }  // 0..1

  // Has it answered, or says why not. `writer` answers either way.
  void submit(ChatRequest request, std::unique_ptr<AnswerWriter> writer, std::stop_token gone);

 private:
  struct Waiting {
    const Route* route;
    Request request;
    ReplyPointer reply;
  };

  void run(const Route& route, const Request& request, ReplyPointer reply);
  void read_requests();

  const ServiceOptions options_;
  const Access access_;
  Metrics metrics_;
  std::function<std::size_t()> connections_;
  std::function<bool()> draining_;

  std::atomic<bool> ready_ = false;
  std::atomic<double> progress_ = 0;
  std::stop_source stop_loading_;
  std::thread loader_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Slots> slots_;
  std::vector<Error> left_out_;

  std::mutex mutex_;
  std::condition_variable some_waiting_;
  std::deque<Waiting> waiting_;
  bool ending_ = false;
  std::vector<std::thread> readers_;
};

// The body of a request, which is an object. kFormat
Result<Json> read_json(const Call& call);

}  // namespace lfm::serve
