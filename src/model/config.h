// What a model file says about the network, checked: plain numbers from which everything else is sized.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lfm::model {

// kDflash is no model by itself: it drafts what another one says (draft_network.h).
enum class Architecture : std::uint8_t { kLfm2, kLfm2Moe, kDflash };

// The name in general.architecture, such as "lfm2moe".
const char* to_string(Architecture architecture) noexcept;

struct LayerConfig {
  std::size_t kv_heads = 0;   // heads of keys and values; 0: a short convolution instead of attention
  bool moe = false;           // experts instead of one dense feed-forward network
  std::size_t ffn_width = 0;  // channels inside the dense network, or inside one expert

  bool attention() const noexcept { return kv_heads != 0; }
};

// What only a draft network has.
struct DraftConfig {
  std::size_t block = 0;          // tokens that it guesses together; 1..kMaxBlock
  std::int32_t mask_token = 0;    // stands where one is to be guessed
  std::vector<std::size_t> taps;  // layers of its target, whose inputs it reads; at least one, each > 0
  std::size_t markov_rank = 0;    // a multiple of 32

  static constexpr std::size_t kMaxBlock = 31;
  static constexpr std::size_t kMaxTaps = 16;
};

struct Config {
  Architecture architecture = Architecture::kLfm2;
  std::string name;                 // general.name as the file has it, maybe empty, not yet fit for a terminal
  std::vector<std::string> kin;     // what it is called and comes from, the nearest first: name, base name, the models
                                    // that it was made of, tags; as `name`
  std::vector<std::string> notes;   // for people: where the file is read otherwise than it says, or isn't made to talk
  std::size_t hidden = 0;           // channels of the residual stream; a multiple of 32
  std::size_t vocab = 0;            // tokens: rows of the embedding and of the head
  std::size_t context_length = 0;   // positions that the model was trained for
  std::size_t heads = 0;            // query heads of an attention layer
  std::size_t head_dim = 0;         // channels of a head; a multiple of 32, at most 256
  std::size_t conv_taps = 0;        // tokens that a short convolution sees, the current one included; 2..8
  std::size_t dense_layers = 0;     // leading layers without experts; all of them for kLfm2
  std::size_t experts = 0;          // of a layer with experts; 0 for kLfm2
  std::size_t experts_used = 0;     // of them for each token
  double rope_base = 0;             // theta of the rotary embedding
  float norm_eps = 0;               // added to the mean square in every RMS norm
  std::vector<LayerConfig> layers;  // in order; at least one with attention and one with a convolution, but of kDflash
                                    // attention and dense networks alone
  DraftConfig draft = {};           // of kDflash

  // Positions that a session may have: context_length, of which a file may say anything.
  static constexpr std::size_t kMaxPositions = std::size_t{1} << 22;
  std::size_t max_positions() const noexcept { return std::min(context_length, kMaxPositions); }

  bool drafts() const noexcept { return architecture == Architecture::kDflash; }
  std::size_t attention_layers() const noexcept;
  std::size_t conv_layers() const noexcept { return layers.size() - attention_layers(); }

  // Memory of one sequence, in bytes.
  std::uint64_t kv_bytes_per_position() const noexcept;  // keys and values in f16, for each position
  std::uint64_t conv_state_bytes() const noexcept;       // the last taps - 1 inputs of every convolution in f32
};

}  // namespace lfm::model
