// Callbacks of C as callbacks of C++.
#pragma once

#include <functional>

#include "c/handles.h"

namespace lfm::c {

// options may be null: 256 tokens, sampled as recommended for the engine's model.
GenerateOptions from_c(const lfm_generate_options* options, const Engine& engine);

// Empty for a null pointer.
std::function<bool(const Piece&)> from_c(lfm_piece_callback callback, void* user);

}  // namespace lfm::c
