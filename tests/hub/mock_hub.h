// A hub on this machine, and a storage host beside it on another port, to which the hub redirects for files. They can
// lie, break off, and refuse.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lfm::test {

struct HubRequest {
  bool storage = false;  // whether it came to the storage host
  std::string method;
  std::string target;
  std::string token;  // behind "Bearer "; empty: none
  std::string range;  // "bytes=100-"
};

// What is wrong with one answer.
struct HubFault {
  int status = 0;  // this one instead, of the hub; 0: none
  std::map<std::string, std::string> fields = {};
  std::string body = {};                        // of that status, or in place of an answer in JSON
  std::string redirect = {};                    // to that address, instead of the storage
  std::uint64_t cut_after = ~std::uint64_t{0};  // bytes of a file, before the connection breaks off
  enum class Range { kGood, kIgnored, kOther, kLie, kNone } range = Range::kGood;
  bool wrong_byte = false;  // one bit of what is sent
  std::int64_t longer = 0;  // bytes more, or fewer, than the file has; the length says so too
};

struct HubFile {
  std::string path;
  std::string bytes;
  bool large = true;  // kept as such, with a SHA-256
};

class MockHub {
 public:
  MockHub();
  ~MockHub();
  MockHub(const MockHub&) = delete;
  MockHub& operator=(const MockHub&) = delete;

  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(ports_[0]); }
  std::string storage() const { return "http://127.0.0.1:" + std::to_string(ports_[1]); }

  // What the repository holds at that commit, which main is at from now on. Before anything is asked for.
  static constexpr const char* kRepository = "Acme/tiny-GGUF";
  void set(const std::string& commit, std::vector<HubFile> files);

  // Asked for each request.
  void set_faults(std::function<HubFault(const HubRequest&)> faults);
  // So many bytes of a file a millisecond; 0: as many as go.
  void set_speed(std::size_t bytes) { speed_ = bytes; }

  std::vector<HubRequest> requests() const;
  std::size_t count(const std::string& part) const;  // of requests whose target has this part
  void forget_requests();

  static std::string digest(const HubFile& file);

 private:
  void serve(int listening, bool storage);
  void answer(int socket, bool storage);
  void send_file(int socket, const HubRequest& request, const HubFault& fault, const HubFile& file) const;
  std::string tree(const std::vector<HubFile>& files) const;
  std::string paths_info(const std::vector<HubFile>& files, const std::string& commit) const;

  int listening_[2];
  int ports_[2];
  std::atomic<std::size_t> speed_ = 0;
  std::atomic<bool> ended_ = false;
  mutable std::mutex mutex_;
  std::string commit_;
  std::map<std::string, std::vector<HubFile>> commits_;
  std::function<HubFault(const HubRequest&)> faults_;
  std::vector<HubRequest> requests_;
  std::list<std::thread> answering_;
  std::vector<std::thread> serving_;
};

}  // namespace lfm::test
