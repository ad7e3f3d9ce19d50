#include "support/rotated_model.h"

#include <cmath>
#include <map>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "format/gguf_writer.h"
#include "quantize/blocks/encode.h"
#include "quantize/model_writer.h"
#include "support/loaded.h"

namespace lfm::test {
namespace {

using Doubles = std::vector<double>;

// What reads the normed stream, behind which norm; and what writes to the stream.
const std::map<std::string_view, std::string_view> kReaders = {{"shortconv.in_proj.weight", "attn_norm.weight"},
                                                               {"attn_q.weight", "attn_norm.weight"},
                                                               {"attn_k.weight", "attn_norm.weight"},
                                                               {"attn_v.weight", "attn_norm.weight"},
                                                               {"ffn_gate.weight", "ffn_norm.weight"},
                                                               {"ffn_up.weight", "ffn_norm.weight"},
                                                               {"ffn_gate_inp.weight", "ffn_norm.weight"},
                                                               {"ffn_gate_exps.weight", "ffn_norm.weight"},
                                                               {"ffn_up_exps.weight", "ffn_norm.weight"}};
const std::map<std::string_view, bool> kWriters = {{"shortconv.out_proj.weight", true},
                                                   {"attn_output.weight", true},
                                                   {"ffn_down.weight", true},
                                                   {"ffn_down_exps.weight", true}};

// Rows are orthogonal: random ones, made so one after the other.
Doubles random_rotation(std::size_t n, std::uint32_t seed) {
  Doubles r(n * n);
  for (double& value : r) {
    value = -6;
    for (int i = 0; i < 12; ++i) {
      seed = seed * 1664525u + 1013904223u;
      value += (seed >> 8) / 16777216.0;
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    double* row = r.data() + i * n;
    for (int twice = 0; twice < 2; ++twice) {
      for (std::size_t j = 0; j < i; ++j) {
        double dot = 0;
        for (std::size_t k = 0; k < n; ++k) dot += row[k] * r[j * n + k];
        for (std::size_t k = 0; k < n; ++k) row[k] -= dot * r[j * n + k];
      }
      double length = 0;
      for (std::size_t k = 0; k < n; ++k) length += row[k] * row[k];
      for (std::size_t k = 0; k < n; ++k) row[k] /= std::sqrt(length);
    }
  }
  return r;
}

class Rotation {
 public:
  Rotation(std::size_t n, std::uint32_t seed) : n_(n), r_(random_rotation(n, seed)) {}

  // Rows (m, n), each scaled by gamma first, where there is one, to rows * R.
  void rows(std::vector<float>& w, const std::vector<float>* gamma) const {
    Doubles turned(n_);
    for (std::size_t row = 0; row < w.size() / n_; ++row) {
      std::fill(turned.begin(), turned.end(), 0);
      for (std::size_t k = 0; k < n_; ++k) {
        const double value =
            static_cast<double>(w[row * n_ + k]) * (gamma != nullptr ? static_cast<double>((*gamma)[k]) : 1);
        for (std::size_t j = 0; j < n_; ++j) turned[j] += value * r_[k * n_ + j];
      }
      for (std::size_t j = 0; j < n_; ++j) w[row * n_ + j] = static_cast<float>(turned[j]);
    }
  }

  // Matrices of n rows and any columns to R^T times each.
  void columns(std::vector<float>& w, std::size_t columns) const {
    Doubles turned(n_ * columns);
    for (std::size_t first = 0; first < w.size(); first += n_ * columns) {
      std::fill(turned.begin(), turned.end(), 0);
      for (std::size_t k = 0; k < n_; ++k) {
        for (std::size_t j = 0; j < n_; ++j) {
          for (std::size_t c = 0; c < columns; ++c)
            turned[j * columns + c] += r_[k * n_ + j] * static_cast<double>(w[first + k * columns + c]);
        }
      }
      for (std::size_t i = 0; i < turned.size(); ++i) w[first + i] = static_cast<float>(turned[i]);
    }
  }

 private:
  std::size_t n_;
  Doubles r_;
};

struct Named {
  std::string name;
  std::vector<std::uint64_t> dims;  // fastest first
  std::vector<float> values;
};

}  // namespace

std::string rotated_model(const std::string& file, std::uint32_t seed) {
  const auto loaded = load(as_bytes(file));
  if (!loaded.ok()) throw std::runtime_error(loaded.error().describe());
  const Rotation rotation(loaded->config.hidden, seed);
  const auto floats = [&](const model::Tensor& tensor) {
    std::vector<float> values(tensor.elements());
    const auto* bytes = reinterpret_cast<const std::byte*>(file.data()) + tensor.file.place.offset;
    quantize::decode(quantize::source_type(tensor), bytes, tensor.count() * tensor.rows, tensor.columns, values.data());
    return values;
  };
  std::vector<Named> tensors;
  for (const model::Tensor& tensor : loaded->table.tensors) {
    const std::string_view name = tensor.row->gguf;
    Named out{std::string(tensor.file.name), {tensor.columns}, floats(tensor)};
    if (tensor.row->kind != model::Kind::kVector) out.dims.push_back(tensor.rows);
    if (tensor.row->kind == model::Kind::kExperts) out.dims.push_back(tensor.count());
    if (const auto at = kReaders.find(name); at != kReaders.end()) {
      const std::string norm = "blk." + std::to_string(tensor.layer) + "." + std::string(at->second);
      const std::vector<float> gamma = floats(loaded->tensor(norm));
      rotation.rows(out.values, &gamma);
    } else if (kWriters.contains(name)) {
      rotation.columns(out.values, tensor.columns);
    } else if (name == "token_embd.weight") {
      const std::vector<float> gamma = floats(loaded->tensor("token_embd_norm.weight"));
      Named head{"output.weight", out.dims, out.values};
      rotation.rows(head.values, &gamma);
      tensors.push_back(std::move(head));
      rotation.rows(out.values, nullptr);
    } else if (name == "attn_norm.weight" || name == "ffn_norm.weight" || name == "token_embd_norm.weight") {
      std::fill(out.values.begin(), out.values.end(), 1.0f);
    }
    tensors.push_back(std::move(out));
  }
  format::GgufWriter writer;
  loaded->source->write_keys(writer);
  writer.set_u32("general.file_type", 0);
  for (const Named& tensor : tensors) writer.add_tensor(tensor.name, format::TensorType::kF32, tensor.dims);
  const format::GgufWriter::Layout layout = writer.layout();
  std::string out = layout.header;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    out.resize(layout.offsets[i]);
    out.append(reinterpret_cast<const char*>(tensors[i].values.data()), tensors[i].values.size() * sizeof(float));
  }
  out.resize(layout.file_bytes);
  return out;
}

}  // namespace lfm::test
