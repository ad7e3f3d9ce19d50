// A conversation in a chat form, before it is made into tokens or text.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lfm/types.h"

namespace lfm::chat {

struct Part {
  std::string text = {};
  bool token = false;                 // `text` is the name of a token
  std::span<const TokenId> ids = {};  // instead of text: tokens as they are
};

class Parts {
 public:
  void text(std::string text) { all_.push_back({.text = std::move(text)}); }
  void token(std::string_view name) { all_.push_back({.text = std::string(name), .token = true}); }
  void ids(std::span<const TokenId> ids) { all_.push_back({.ids = ids}); }
  void add(Part part) { all_.push_back(std::move(part)); }
  const std::vector<Part>& all() const noexcept { return all_; }

 private:
  std::vector<Part> all_;
};

}  // namespace lfm::chat
