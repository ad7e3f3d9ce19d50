#include "base/file_lease.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/background.h"
#include "base/try.h"

namespace lfm::base {
namespace {

constexpr int kNotTried = -1;

}  // namespace

struct FileLease::State {
  State(File own, std::function<void()> on_break) : file(std::move(own)), leave(std::move(on_break)) {}

  int take();
  void watch();

  File file;  // a lease is the open file's: it ends with the last descriptor
  std::function<void()> leave;
  std::atomic<pid_t> thread_id = 0;
  std::atomic<int> error = kNotTried;  // errno, 0: taken
  std::atomic<bool> ended = false;
  std::optional<Background> thread;
};

// On the thread that is to get the signal.
int FileLease::State::take() {
  thread_id = static_cast<pid_t>(::syscall(SYS_gettid));
  const f_owner_ex owner{F_OWNER_TID, thread_id};
  if (::fcntl(file.descriptor(), F_SETOWN_EX, &owner) != 0) return errno;
  return ::fcntl(file.descriptor(), F_SETLEASE, F_RDLCK) == 0 ? 0 : errno;
}

// The thread has all signals blocked, so that SIGIO neither reaches a handler nor ends the process, but waits here.
void FileLease::State::watch() {
  error = take();
  error.notify_one();
  if (error != 0) return;
  sigset_t io;
  sigemptyset(&io);
  sigaddset(&io, SIGIO);
  bool held = true;
  while (!ended) {
    if (::sigwaitinfo(&io, nullptr) < 0 || ended || !held) continue;
    if (::fcntl(file.descriptor(), F_GETLEASE) == F_RDLCK) continue;  // the signal was about something else
    leave();
    (void)::fcntl(file.descriptor(), F_SETLEASE, F_UNLCK);
    held = false;
  }
}

Result<FileLease> FileLease::take(const File& file, std::function<void()> leave) {
  LFM_ASSIGN(File own, file.duplicate());
  auto state = std::make_unique<State>(std::move(own), std::move(leave));
  LFM_ASSIGN(Background thread, Background::start(Background::Priority::kNormal, [s = state.get()] { s->watch(); }));
  state->thread.emplace(std::move(thread));
  state->error.wait(kNotTried);
  if (const int error = state->error; error != 0) return io_error("cannot lease", file.path(), error);
  return FileLease(std::move(state));
}

FileLease::FileLease(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
FileLease::FileLease(FileLease&&) noexcept = default;

FileLease::~FileLease() {
  if (state_ == nullptr) return;
  state_->ended = true;
  (void)::syscall(SYS_tgkill, ::getpid(), state_->thread_id.load(), SIGIO);
  state_->thread->join();
  (void)::fcntl(state_->file.descriptor(), F_SETLEASE, F_UNLCK);
}

}  // namespace lfm::base
