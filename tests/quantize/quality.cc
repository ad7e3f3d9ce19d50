// What scripts/quality is made of.
//   quality rotate MODEL OUT SEED                     a trained network in float32 off every grid
//   quality divergence TOKENS TEXT REFERENCE FILE...  the mean KL divergence of each file from the reference
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <span>
#include <stdexcept>

#include "support/divergence.h"
#include "support/rotated_model.h"
#include "support/temp_folder.h"

namespace {

int run(std::span<char*> arguments) {
  const std::string what = arguments.empty() ? "" : arguments[0];
  if (what == "rotate" && arguments.size() == 4) {
    std::ofstream out(arguments[2], std::ios::binary);
    out << lfm::test::rotated_model(lfm::test::read_all(arguments[1]),
                                    static_cast<std::uint32_t>(std::atoll(arguments[3])));
    out.close();
    if (!out) throw std::runtime_error("can't write " + std::string(arguments[2]));
    return 0;
  }
  if (what == "divergence" && arguments.size() > 4) {
    const auto tokens = static_cast<std::size_t>(std::atoll(arguments[1]));
    const std::string text = lfm::test::read_all(arguments[2]);
    const auto reference = lfm::test::open_model(arguments[3]);
    const auto exact = lfm::test::log_probabilities(*reference, *reference, text, tokens);
    for (char* const file : arguments.subspan(4)) {
      const auto model = lfm::test::open_model(file);
      const auto found = lfm::test::log_probabilities(*model, *reference, text, tokens);
      std::printf("%.6f %s\n", lfm::test::divergence(exact, found), file);
      std::fflush(stdout);
    }
    return 0;
  }
  throw std::runtime_error("usage: quality rotate MODEL OUT SEED | quality divergence TOKENS TEXT REFERENCE FILE...");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "quality: %s\n", error.what());
    return 1;
  }
}
