#include "interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "command.h"

namespace lfm::cli {
namespace {

std::atomic<Session*> interruptible{nullptr};
std::atomic<void (*)()> farewell{nullptr};
std::atomic<int> interrupts{0};
std::atomic<int> borne{1};
struct sigaction before;

void on_interrupt(int) {
  const int saved = errno;
  if (interrupts.fetch_add(1) >= borne.load()) {
    if (void (*const last)() = farewell.load()) last();
    _exit(kInterrupted);
  }
  if (Session* session = interruptible.load()) session->cancel();
  errno = saved;
}

}  // namespace

InterruptGuard::InterruptGuard(Session& session, int patience) {
  interrupts.store(0);
  borne.store(patience);
  interruptible.store(&session);
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // what was said until then is written
  sigaction(SIGINT, &action, &before);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &before, nullptr);
  interruptible.store(nullptr);
}

bool InterruptGuard::interrupted() noexcept {
  return interrupts.load() > 0;
}

void InterruptGuard::set_farewell(void (*last)()) noexcept {
  farewell.store(last);
}

}  // namespace lfm::cli
