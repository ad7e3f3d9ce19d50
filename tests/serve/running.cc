#include "running.h"

#include <chrono>
#include <future>
#include <stdexcept>

namespace lfm::test {

const Engine& nano_engine() {
  static const Engine engine = [] {
    auto opened = Engine::open(LFM_NANO_FILE, {.threads = 2});
    if (!opened.ok()) throw std::runtime_error(opened.error().describe());
    return *std::move(opened);
  }();
  return engine;
}

Running::Running(ServerSetup setup) {
  setup.service.model.name = "nano";
  service_ = std::make_unique<serve::Service>(std::move(setup.service));
  serve::Listen at;
  at.port = 0;
  at.socket = setup.socket;
  if (!setup.socket.empty()) at.host.clear();
  auto made = serve::HttpServer::listen(at, setup.http, *service_);
  if (!made.ok()) throw std::runtime_error(made.error().describe());
  server_ = *std::move(made);
  service_->set_gauges([this] { return server_->connections(); }, [this] { return server_->draining(); });
  std::promise<void> loaded;
  if (setup.loads) {
    const Engine& engine = setup.engine != nullptr ? *setup.engine : nano_engine();
    service_->load([&engine](std::stop_token, const ProgressCallback&) -> Result<Engine> { return engine; },
                   [&](const Status&) { loaded.set_value(); });
    loaded.get_future().wait();
  }
  thread_ = std::thread([this] { server_->run(); });
}

Running::~Running() {
  server_->stop();
  thread_.join();
  static_cast<void>(service_->end());
}

bool Running::becomes_idle() const {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < until) {
    const serve::Gauges now = service_->gauges();
    if (now.busy == 0 && now.queued == 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace lfm::test
