// Continues a text: complete MODEL.gguf "The capital of France is"
#include <iostream>

#include "lfm/lfm.h"

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "usage: complete MODEL.gguf TEXT\n", 2;
  const auto fail = [](const lfm::Error& error) { return std::cerr << error.describe() << '\n', 1; };

  auto engine = lfm::Engine::open(argv[1]);
  if (!engine.ok()) return fail(engine.error());
  auto session = engine->new_session();
  if (!session.ok()) return fail(session.error());
  auto prompt = engine->tokenizer().encode(argv[2]);
  if (!prompt.ok()) return fail(prompt.error());
  if (auto read = session->sync(*prompt); !read.ok()) return fail(read.error());

  auto end = session->generate({.max_tokens = 40},
                               [](const lfm::Piece& piece) { return !(std::cout << piece.text << std::flush).fail(); });
  if (!end.ok()) return fail(end.error());
  std::cout << '\n';
}
