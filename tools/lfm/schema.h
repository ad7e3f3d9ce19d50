// lfm schema: what a JSON schema allows.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace lfm::cli {

void add_schema(CLI::App& app, std::function<int()>& action);

}  // namespace lfm::cli
