#include "interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

#include "base/descriptor.h"
#include "command.h"

namespace lfm::cli {
namespace {

std::atomic<Session*> interruptible{nullptr};
std::atomic<void (*)()> farewell{nullptr};
std::atomic<int> interrupts{0};
std::atomic<int> borne{1};
struct sigaction before;
std::atomic<const char*> closing_words{nullptr};
std::string* last_words = nullptr;  // for as long as the program runs

void on_interrupt(int) {
  const int saved = errno;
  if (interrupts.fetch_add(1) >= borne.load()) {
    if (void (*const last)() = farewell.load()) last();
    _exit(kInterrupted);
  }
  if (Session* session = interruptible.load()) session->cancel();
  errno = saved;
}

void say_last_words(int) {
  if (const char* const words = closing_words.load()) (void)base::write_all(STDOUT_FILENO, words);
  (void)base::write_all(STDERR_FILENO, *last_words);
  _exit(kInterrupted);
}

}  // namespace

void end_on_interrupt(const std::string& sentence) {
  // At a terminal in place of the line that tells how far the work is, and of the ^C.
  delete std::exchange(last_words,
                       new std::string((isatty(STDERR_FILENO) == 1 ? "\r\033[K" : "") + ("lfm: " + sentence) + "\n"));
  struct sigaction now {};
  if (sigaction(SIGINT, nullptr, &now) != 0 || now.sa_handler == SIG_IGN) return;
  now = {};
  now.sa_handler = say_last_words;
  sigemptyset(&now.sa_mask);
  sigaction(SIGINT, &now, nullptr);
}

// The main thread's alone: the library's own threads take no signals.
NoInterrupt::NoInterrupt() {
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, &before_);
}

NoInterrupt::~NoInterrupt() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void set_closing_words(const char* words) noexcept {
  closing_words.store(words);
}

EndOnInterrupt::EndOnInterrupt(const std::string& sentence) {
  sigaction(SIGINT, nullptr, &before_);
  end_on_interrupt(sentence);
}

EndOnInterrupt::~EndOnInterrupt() {
  sigaction(SIGINT, &before_, nullptr);
}

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
