#include "hub/blob.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/try.h"
#include "hub/digest.h"
#include "hub/lock.h"

namespace lfm::hub {
namespace {

namespace fs = std::filesystem;

std::string part_path(const Cache& cache, const Name& name, const RemoteFile& file) {
  return cache.blob(name.repository, file.digest) + ".incomplete";
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// Whether "bytes 100-999/1000" is what was asked for: from there on, of so many.
bool is_range(std::string_view text, std::uint64_t from, std::uint64_t bytes) {
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return false;
  text.remove_prefix(kUnit.size());
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == text.npos || slash == text.npos || dash > slash) return false;
  const std::string_view all = text.substr(slash + 1);
  return number_of(text.substr(0, dash)) == from && (all == "*" || number_of(all) == bytes);
}

// The file that a blob is until all of it is here.
class Part {
 public:
  Part(const std::string& path, const RemoteFile& file)
      : path_(path),
        wanted_(file),
        file_(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666)) {}

  // Takes what is there, told as it is read.
  Status open(const BlobCallback& tell) {
    struct stat status;
    if (file_.get() < 0 || ::fstat(file_.get(), &status) != 0) return cannot("cannot write");
    if (!S_ISREG(status.st_mode) || status.st_nlink != 1)
      return Error{ErrorCode::kIo, "something else is in the way", base::printable(path_)};
    const auto left = static_cast<std::uint64_t>(status.st_size);
    LFM_TRY(clear());
    if (left > wanted_.bytes) return cut();
    std::array<char, std::size_t{1} << 18> buffer;
    while (bytes_ < left) {
      const ssize_t n = base::read_some(file_.get(), buffer);
      if (n <= 0) return cannot("cannot read");
      add({buffer.data(), static_cast<std::size_t>(n)});
      tell(Step::kChecking, bytes_);
    }
    taken_ = bytes_ > 0;
    const auto at = static_cast<off_t>(bytes_);
    const int reserved = ::fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, at, static_cast<off_t>(wanted_.bytes) - at);
    if (bytes_ < wanted_.bytes && reserved != 0 && errno == ENOSPC) return cannot("cannot reserve its place");
    return {};
  }

  std::uint64_t bytes() const noexcept { return bytes_; }
  bool whole() const noexcept { return bytes_ == wanted_.bytes; }
  bool taken() const noexcept { return taken_; }  // whether some of it came with an earlier answer
  void go_on() noexcept { taken_ = taken_ || bytes_ > 0; }

  // As if nothing had come.
  Status restart() {
    taken_ = false;
    LFM_TRY(clear());
    return cut();
  }

  Status write(std::string_view bytes) {
    if (!base::write_all(file_.get(), bytes)) return cannot("cannot write");
    add(bytes);
    return {};
  }

  std::string digest() { return digest_->finish(); }

  Status become(const std::string& path) {
    if (::fsync(file_.get()) != 0) return cannot("cannot sync");
    std::error_code code;
    fs::rename(path_, path, code);
    if (code) return base::io_error("cannot write", path, code.value());
    const base::Descriptor folder(::open(fs::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() < 0 || ::fsync(folder.get()) != 0) return base::io_error("cannot sync the folder of", path, errno);
    return {};
  }

  void remove() { ::unlink(path_.c_str()); }

 private:
  Error cannot(const char* what) const { return base::io_error(what, path_, errno); }

  void add(std::string_view bytes) {
    digest_->add(bytes);
    bytes_ += bytes.size();
  }

  Status clear() {
    digest_.emplace(wanted_.digest, wanted_.bytes);
    bytes_ = 0;
    if (::lseek(file_.get(), 0, SEEK_SET) != 0) return cannot("cannot read");
    return {};
  }

  Status cut() const {
    if (::ftruncate(file_.get(), 0) != 0) return cannot("cannot cut");
    return {};
  }

  const std::string path_;
  const RemoteFile& wanted_;
  const base::Descriptor file_;
  std::optional<Digest> digest_;
  std::uint64_t bytes_ = 0;
  bool taken_ = false;
};

class Fetch {
 public:
  Fetch(Web& web, const Name& name, const std::string& commit, const RemoteFile& file, Part& part,
        const BlobCallback& tell)
      : web_(web), name_(name), commit_(commit), file_(file), part_(part), tell_(tell) {}

  // Until the part has all bytes and the right digest.
  Status run() {
    for (;;) {
      LFM_TRY(load());
      const std::string digest = part_.digest();
      if (digest == file_.digest) return {};
      // What an earlier run left, or a hub that lies about ranges, may have spoiled it.
      if (!part_.taken()) {
        part_.remove();
        return wrong("what came has the digest " + digest + ", and not " + file_.digest + " as the hub lists");
      }
      LFM_TRY(restart());
    }
  }

 private:
  Error wrong(std::string what) const {
    return Error{ErrorCode::kFormat, std::move(what) + ": try again later", base::printable(file_.path)};
  }

  Status restart() {
    ranges_ = false;
    return part_.restart();
  }

  // All bytes, with as many tries as it takes while each brings some.
  Status load() {
    int tried = 0;
    std::uint64_t most = part_.bytes();
    while (!part_.whole()) {
      if (!ranges_) LFM_TRY(part_.restart());
      part_.go_on();
      const Status status = load_once();
      LFM_TRY(failure_);
      if (status.ok() && part_.whole()) break;
      if (part_.bytes() > most) most = part_.bytes(), tried = 0;
      const Error error =
          status.ok() ? Error{ErrorCode::kIo, "the connection broke off", name_.text()} : status.error();
      if (!web_.again(error, tried++, Patience::kFiles)) return error;
    }
    return {};
  }

  Status load_once() {
    return web_.get(
        name_, commit_, file_.path, part_.bytes(),
        {[&](const Head& head) { return begin(head); }, [&](std::string_view bytes) { return take(bytes); }});
  }

  bool begin(const Head& head) {
    if (part_.bytes() > 0) {
      // All from the beginning is good too; another range, or none, isn't.
      const bool range = head.status == 206 && is_range(head.field("content-range"), part_.bytes(), file_.bytes);
      if (range) return true;
      failure_ = restart();
      if (head.status != 200) return false;
    }
    const auto length = number_of(head.field("content-length"));
    if (head.status == 200 && length && *length != file_.bytes)
      failure_ = wrong("it has " + std::to_string(*length) + " bytes, and not " + std::to_string(file_.bytes) +
                       " as the hub lists");
    return failure_.ok() && head.status == 200;
  }

  bool take(std::string_view bytes) {
    if (bytes.size() > file_.bytes - part_.bytes()) {
      failure_ = wrong("more than the " + std::to_string(file_.bytes) + " bytes come that the hub lists");
      part_.remove();
      return false;
    }
    failure_ = part_.write(bytes);
    tell_(Step::kLoading, part_.bytes());
    return failure_.ok();
  }

  Web& web_;
  const Name& name_;
  const std::string& commit_;
  const RemoteFile& file_;
  Part& part_;
  const BlobCallback& tell_;
  bool ranges_ = true;  // whether the hub gives parts of files
  Status failure_;      // that ended an answer
};

}  // namespace

bool has_blob(const Cache& cache, const Name& name, const RemoteFile& file) {
  std::error_code code;
  const fs::path path = cache.blob(name.repository, file.digest);
  return fs::is_regular_file(path, code) && fs::file_size(path, code) == file.bytes;
}

std::uint64_t left_of_blob(const Cache& cache, const Name& name, const RemoteFile& file) {
  std::error_code code;
  const std::uint64_t bytes = fs::file_size(part_path(cache, name, file), code);
  return code ? 0 : std::min(bytes, file.bytes);
}

Status fetch_blob(Web& web, const Cache& cache, const Name& name, const std::string& commit, const RemoteFile& file,
                  const BlobCallback& tell) {
  const std::string path = cache.blob(name.repository, file.digest);
  LFM_ASSIGN(const Lock lock, Lock::take(cache.lock(name.repository, file.digest), Lock::Wait::kYes,
                                         [&] { tell(Step::kWaiting, left_of_blob(cache, name, file)); }));
  if (has_blob(cache, name, file)) return {};
  std::error_code code;
  fs::create_directories(fs::path(path).parent_path(), code);
  if (code) return base::io_error("cannot make the folder of", path, code.value());
  Part part(part_path(cache, name, file), file);
  LFM_TRY(part.open(tell));
  LFM_TRY(Fetch(web, name, commit, file, part, tell).run());
  return part.become(path);
}

}  // namespace lfm::hub
