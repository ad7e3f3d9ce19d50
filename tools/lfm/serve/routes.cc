#include "serve/routes.h"

#include <array>

#include "serve/endpoints.h"
#include "serve/openai.h"

namespace lfm::serve {
namespace {

constexpr std::array kRoutes = {
    Route{"GET", "/health", &get_health, &openai_error, Place::kNetwork, true, false},
    Route{"GET", "/v1/health", &get_health, &openai_error, Place::kNetwork, true, false},
    Route{"GET", "/v1/models", &get_models, &openai_error, Place::kNetwork},
    Route{"GET", "/v1/models/*", &get_model, &openai_error, Place::kNetwork},
    Route{"GET", "/models", &get_models, &openai_error, Place::kNetwork},
    Route{"GET", "/models/*", &get_model, &openai_error, Place::kNetwork},
    Route{"POST", "/v1/chat/completions", &post_chat_completions, &openai_error},
    Route{"POST", "/chat/completions", &post_chat_completions, &openai_error},
};

// Whether this is the route's path; then `rest` is what follows.
bool is_at(const Route& route, std::string_view path, std::string& rest) {
  if (!route.path.ends_with('*')) return path == route.path;
  const std::string_view front = route.path.substr(0, route.path.size() - 1);
  if (!path.starts_with(front) || path.size() == front.size()) return false;
  rest = path.substr(front.size());
  return true;
}

}  // namespace

Found find_route(std::string_view method, std::string_view path) {
  Found found;
  const std::string_view asked = method == "HEAD" ? "GET" : method;
  for (const Route& route : kRoutes) {
    if (!is_at(route, path, found.rest)) continue;
    if (route.method == asked) {
      found.route = &route;
      return found;
    }
    found.allowed += (found.allowed.empty() ? "" : ", ") + std::string(route.method);
  }
  return found;
}

ErrorForm usual_error_form() noexcept {
  return &openai_error;
}

}  // namespace lfm::serve
