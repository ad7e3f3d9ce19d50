// Writes the tests' tiny model to a file: make_tiny_model PATH
#include <fstream>

#include "support/tiny_model.h"

int main(int, char** argv) {
  std::ofstream out(argv[1], std::ios::binary);
  return (out << lfm::test::TinyModel{}.build() << std::flush) ? 0 : 1;
}
