// Has a service answer a batch, as many requests side by side as it has slots.
#pragma once

#include <cstddef>
#include <functional>

#include "batch/answers.h"
#include "batch/requests.h"
#include "serve/service.h"

namespace lfm::batch {

struct Progress {
  std::size_t done = 0;  // of this job, those of earlier calls included
  std::size_t all = 0;
  std::size_t failed = 0;  // of this call: their answer is an error
};

// Answers what isn't answered. `told` is called on this thread from time to time. The service has its model.
//   kIo, kFormat   as Requests::read() and Answers::add();   kArgument  the file has answers to other requests
Result<Progress> work(serve::Service& service, Requests& requests, Answers& answers,
                      const std::function<void(const Progress&)>& told);

}  // namespace lfm::batch
