#include "support/hf_folder.h"

#include <algorithm>

#include "format/gguf.h"
#include "model/tensor_table.h"
#include "support/loaded.h"

namespace lfm::test {
namespace {

using Json = nlohmann::ordered_json;

Json config_of(const TinyModel& model) {
  Json types = Json::array();
  std::int32_t kv_heads = 0;
  for (const std::int32_t heads : model.kv_heads) {
    types.push_back(heads != 0 ? "full_attention" : "conv");
    kv_heads = std::max(kv_heads, heads);
  }
  Json config = {{"model_type", model.moe ? "lfm2_moe" : "lfm2"},
                 {"bos_token_id", 1},
                 {"conv_L_cache", model.conv_taps},
                 {"conv_bias", false},
                 {"eos_token_id", 7},
                 {"hidden_size", model.hidden},
                 {"intermediate_size", model.ffn_width},
                 {"layer_types", types},
                 {"max_position_embeddings", model.context_length},
                 {"norm_eps", 1e-5},
                 {"num_attention_heads", model.heads},
                 {"num_hidden_layers", model.kv_heads.size()},
                 {"num_key_value_heads", kv_heads},
                 {"pad_token_id", 0},
                 {"rope_parameters", {{"rope_theta", 1e6}, {"rope_type", "default"}}},
                 {"vocab_size", model.vocab}};
  if (!model.moe) {
    config["block_auto_adjust_ff_dim"] = false;
    return config;
  }
  config.update({{"moe_intermediate_size", model.expert_width},
                 {"norm_topk_prob", true},
                 {"num_dense_layers", model.dense_layers},
                 {"num_experts", model.experts},
                 {"num_experts_per_tok", model.experts_used},
                 {"routed_scaling_factor", 1.0},
                 {"use_expert_bias", true}});
  return config;
}

Json tokenizer_of(const format::Metadata& keys) {
  const auto tokens = *keys.require_strings("tokenizer.ggml.tokens");
  const auto types = *keys.require_integers("tokenizer.ggml.token_type");
  const auto merges = *keys.require_strings("tokenizer.ggml.merges");
  Json vocab = Json::object(), added = Json::array(), pairs = Json::array();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (types[i] == 1) {
      vocab[std::string(tokens[i])] = i;
    } else {
      added.push_back({{"id", i}, {"content", tokens[i]}, {"special", types[i] == 3}});
    }
  }
  for (std::size_t i = 0; i < merges.size(); ++i) {
    const std::string merge(merges[i]);
    const std::size_t space = merge.find(' ');
    pairs.push_back({merge.substr(0, space), merge.substr(space + 1)});
  }
  const char* pattern =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  return {{"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer",
           {{"type", "Sequence"}, {"pretokenizers", {{{"type", "Split"}, {"pattern", {{"Regex", pattern}}}}}}}},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single", {{{"SpecialToken", {{"id", tokens[1]}}}}, {{"Sequence", {{"id", "A"}}}}}}}},
          {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", pairs}}}};
}

void add_tensors(const Loaded& loaded, const std::string& file, std::vector<HfTensor>& out) {
  for (const model::Tensor& tensor : loaded.table.tensors) {
    const model::Kind kind = tensor.row->kind;
    std::vector<std::uint64_t> shape = {tensor.rows, tensor.columns};
    if (kind == model::Kind::kVector) shape = {tensor.columns};
    if (kind == model::Kind::kTaps) shape = {tensor.rows, 1, tensor.columns};
    for (std::size_t i = 0; i < tensor.count(); ++i) {
      out.push_back({name_of(*tensor.row, model::Naming::kHuggingFace, tensor.layer, i), "F32", shape,
                     file.substr(tensor.places[i].offset, tensor.rows * tensor.columns * sizeof(float))});
    }
  }
}

}  // namespace

std::string safetensors(const std::vector<HfTensor>& tensors) {
  Json header = Json::object();
  std::string data;
  for (const HfTensor& tensor : tensors) {
    header[tensor.name] = {{"dtype", tensor.dtype},
                           {"shape", tensor.shape},
                           {"data_offsets", {data.size(), data.size() + tensor.data.size()}}};
    data += tensor.data;
  }
  const std::string text = header.dump();
  return bytes_of(std::uint64_t{text.size()}) + text + data;
}

HfFolder::HfFolder(const TinyModel& model) : config(config_of(model)) {
  const std::string file = model.build();
  const auto gguf = format::Gguf::parse(as_bytes(file));
  tokenizer = tokenizer_of(gguf->metadata());
  settings = {{"bos_token", "<|startoftext|>"}, {"eos_token", "<|im_end|>"}, {"pad_token", "<|pad|>"}};
  const auto loaded = load(as_bytes(file));
  add_tensors(*loaded, file, tensors);
}

void HfFolder::write(const TempFolder& folder, std::size_t shards) const {
  folder.write("config.json", config.dump());
  folder.write("tokenizer.json", tokenizer.dump());
  folder.write("tokenizer_config.json", settings.dump());
  if (!chat_template.empty()) folder.write("chat_template.jinja", chat_template);
  if (shards == 1) {
    folder.write("model.safetensors", safetensors(tensors));
    return;
  }
  Json map = Json::object();
  for (std::size_t i = 0; i < shards; ++i) {
    const std::string name = "model-0000" + std::to_string(i + 1) + ".safetensors";
    std::vector<HfTensor> part;
    for (std::size_t t = i; t < tensors.size(); t += shards) {
      part.push_back(tensors[t]);
      map[tensors[t].name] = name;
    }
    folder.write(name, safetensors(part));
  }
  folder.write("model.safetensors.index.json", Json{{"weight_map", map}}.dump());
}

}  // namespace lfm::test
