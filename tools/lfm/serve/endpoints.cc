#include "serve/endpoints.h"

#include "serve/fields.h"
#include "serve/openai.h"
#include "serve/service.h"

namespace lfm::serve {

void get_health(const Call& call) {
  const Service& service = call.service;
  if (service.loaded()) return call.reply->send({200, R"({"status": "ok"})"});
  Response response = openai_error({503, "the model is being loaded", "", "loading", 2});
  Json body = Json::parse(response.body);
  body["status"] = "loading model";
  body["progress"] = service.load_progress();
  response.body = json_text(body);
  call.reply->send(std::move(response));
}

}  // namespace lfm::serve
