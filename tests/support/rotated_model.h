// A trained network in float32 that lies on no grid, without any training: a model file's residual stream turned by a
// random rotation, and its norms folded into what reads them. The function is the same but for rounding; the embedding
// is no longer the head.
#pragma once

#include <cstdint>
#include <string>

namespace lfm::test {

// Of the bytes of a GGUF file of any types, the bytes of another. Throws where it isn't a model.
std::string rotated_model(const std::string& file, std::uint32_t seed);

}  // namespace lfm::test
