// The lines of a batch: {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {...}}.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"

namespace lfm::batch {

struct Request {
  std::string id;  // "custom_id"
  std::string method;
  std::string path;
  std::string body;  // JSON
};

// One job's part of a batch: each of `shards` jobs has every so many-th line.
struct Shard {
  std::size_t number = 1;  // from 1 on
  std::size_t of = 1;
};

// "2/8". Empty, or what is wrong with it.
std::string read_shard(const std::string& typed, Shard& shard);

// A file of them, which stays where it is: lines are read again when it is their turn.
class Requests {
 public:
  // Reads and checks all lines of the file; empty ones are left out.
  //   kIo;   kFormat  what is no request, with its line;   kArgument  two with one id
  static Result<Requests> open(const std::string& path, Shard shard);

  std::size_t size() const noexcept { return places_.size(); }  // of this job
  const std::string& id(std::size_t i) const noexcept { return places_[i].id; }

  // kIo, kFormat: somebody changed the file
  Result<Request> read(std::size_t i);

 private:
  struct Place {
    std::uint64_t offset;
    std::size_t line;  // from 1 on
    std::string id;
  };

  Requests(std::string path, std::ifstream file) : path_(std::move(path)), file_(std::move(file)) {}
  Result<Request> parse(std::string_view text, std::size_t line) const;

  std::string path_;
  std::ifstream file_;
  std::vector<Place> places_;
};

}  // namespace lfm::batch
