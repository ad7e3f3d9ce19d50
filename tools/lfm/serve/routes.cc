#include "serve/routes.h"

#include <array>

#include "serve/anthropic/anthropic.h"
#include "serve/endpoints.h"
#include "serve/ollama/ollama.h"
#include "serve/openai/openai.h"

namespace lfm::serve {
namespace {

constexpr bool kOpen = true;
constexpr bool kNoModel = false;

// Those at "/v1/..." are at "/..." too.
constexpr std::array kRoutes = {
    Route{"GET", "/", &get_page, &openai_error, Place::kNetwork, kOpen, kNoModel},
    Route{"GET", "/v1/health", &get_health, &openai_error, Place::kNetwork, kOpen, kNoModel},
    Route{"GET", "/metrics", &get_metrics, &openai_error, Place::kNetwork, !kOpen, kNoModel},
    Route{"GET", "/props", &get_props, &openai_error, Place::kNetwork},
    Route{"GET", "/slots", &get_slots, &openai_error, Place::kNetwork},
    Route{"POST", "/tokenize", &post_tokenize, &openai_error},
    Route{"POST", "/detokenize", &post_detokenize, &openai_error},
    Route{"POST", "/apply-template", &post_apply_template, &openai_error},

    Route{"GET", "/v1/models", &get_models, &openai_error, Place::kNetwork},
    Route{"GET", "/v1/models/*", &get_model, &openai_error, Place::kNetwork},
    Route{"POST", "/v1/chat/completions", &post_chat_completions, &openai_error},
    Route{"POST", "/v1/chat/completions/input_tokens", &post_chat_tokens, &openai_error},
    Route{"POST", "/v1/completions", &post_completions, &openai_error},
    Route{"POST", "/v1/responses", &post_responses, &openai_error},
    Route{"POST", "/v1/responses/input_tokens", &post_response_tokens, &openai_error},

    Route{"POST", "/v1/messages", &post_messages, &anthropic_error},
    Route{"POST", "/v1/messages/count_tokens", &post_count_tokens, &anthropic_error},

    Route{"GET", "/api/version", &get_ollama_version, &ollama_error, Place::kNetwork, false, kNoModel},
    Route{"GET", "/api/tags", &get_ollama_tags, &ollama_error, Place::kNetwork},
    Route{"GET", "/api/ps", &get_ollama_running, &ollama_error, Place::kNetwork},
    Route{"POST", "/api/show", &post_ollama_show, &ollama_error},
    Route{"POST", "/api/chat", &post_ollama_chat, &ollama_error},
    Route{"POST", "/api/generate", &post_ollama_generate, &ollama_error},

    Route{"POST", "/v1/embeddings", &not_supported, &openai_error, Place::kNetwork},
    Route{"POST", "/embedding", &not_supported, &openai_error, Place::kNetwork},
    Route{"POST", "/v1/rerank", &not_supported, &openai_error, Place::kNetwork},
    Route{"POST", "/infill", &not_supported, &openai_error, Place::kNetwork},
    Route{"GET", "/lora-adapters", &not_supported, &openai_error, Place::kNetwork},
    Route{"POST", "/v1/audio/*", &not_supported, &openai_error, Place::kNetwork},
    Route{"POST", "/v1/images/*", &not_supported, &openai_error, Place::kNetwork},
};

// Whether this is the route's path; then `rest` is what follows.
bool is_at(const Route& route, std::string_view path, std::string& rest) {
  if (!route.path.ends_with('*')) return path == route.path;
  const std::string_view front = route.path.substr(0, route.path.size() - 1);
  if (!path.starts_with(front) || path.size() == front.size()) return false;
  rest = path.substr(front.size());
  return true;
}

Found find_exactly(std::string_view method, std::string_view path) {
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

}  // namespace

Found find_route(std::string_view method, std::string_view path) {
  Found found = find_exactly(method, path);
  if (found.route == nullptr && found.allowed.empty()) found = find_exactly(method, "/v1" + std::string(path));
  return found;
}

ErrorForm usual_error_form() noexcept {
  return &openai_error;
}

}  // namespace lfm::serve
