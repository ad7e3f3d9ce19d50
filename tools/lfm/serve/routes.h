// Which address is answered by what.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/api_error.h"
#include "serve/http/application.h"

namespace lfm::serve {

class Service;

struct Call {
  Service& service;
  const Request& request;
  ReplyPointer reply;
  std::string rest = {};  // of the path, where the route's ends in "*"
};

// Answers, now or later.
using Handler = void (*)(const Call& call);

// An error in the words of a dialect.
using ErrorForm = Response (*)(const ApiError& error);

enum class Place {
  kNetwork,  // at once, on the network thread: takes microseconds
  kReader,   // on a thread that reads requests
};

struct Route {
  std::string_view method;
  std::string_view path;  // "/v1/models/*": whatever follows
  Handler handler;
  ErrorForm error_form;
  Place place = Place::kReader;
  bool open = false;        // asks for no key
  bool needs_model = true;  // 503 while it is loading
};

struct Found {
  const Route* route = nullptr;
  std::string rest;
  std::string allowed;  // where the path is known and the method isn't: "GET, POST"
};

Found find_route(std::string_view method, std::string_view path);

// The form of errors of paths that aren't known.
ErrorForm usual_error_form() noexcept;

}  // namespace lfm::serve
