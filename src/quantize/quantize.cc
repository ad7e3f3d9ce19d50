#include "lfm/quantize.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "api/guarded.h"
#include "base/checksum.h"
#include "base/cores.h"
#include "base/cpu.h"
#include "base/float_mode.h"
#include "base/team.h"
#include "base/try.h"
#include "engine/load/load.h"
#include "engine/load/model_parts.h"
#include "format/pack_file.h"
#include "kernels/table.h"
#include "quantize/calibrated.h"
#include "quantize/calibration_text.h"
#include "quantize/checkpoint.h"
#include "quantize/imatrix.h"
#include "quantize/model_writer.h"

namespace lfm {
namespace quantize {
namespace {

constexpr std::uint64_t kTaskElements = std::uint64_t{1} << 18;

std::vector<Rows> cut_into_rows(const model::TensorTable& table) {
  std::vector<Rows> all;
  for (std::size_t t = 0; t < table.tensors.size(); ++t) {
    const model::Tensor& tensor = table.tensors[t];
    const std::uint64_t step = std::max<std::uint64_t>(1, kTaskElements / tensor.columns);
    for (std::uint64_t matrix = 0; matrix < tensor.count(); ++matrix) {
      for (std::uint64_t row = 0; row < tensor.rows; row += step)
        all.push_back({t, matrix, row, std::min(step, tensor.rows - row)});
    }
  }
  return all;
}

std::function<bool(double)> progress_of(const QuantizeOptions& options, QuantizePhase phase) {
  return [&options, phase](double part) {
    if (!options.progress) return true;
    const base::CallersFloatMode mode;
    return options.progress(phase, part);
  };
}

// Every tensor by itself, but for those that were calibrated.
Status write_plain(const ModelWriter& writer, const engine::ModelParts& parts, base::Team& team,
                   const QuantizeOptions& options, bool calibrated, const Imatrix* importance) {
  std::vector<Rows> tasks = cut_into_rows(parts.table);
  if (calibrated) std::erase_if(tasks, [&](const Rows& rows) { return is_calibrated(writer, rows.tensor); });
  const auto progress = progress_of(options, QuantizePhase::kPlain);
  std::atomic<bool> failed = false;
  std::atomic<std::size_t> done = 0;
  std::mutex mutex;
  Status failure;
  team.run([&](base::Worker& worker) {
    std::vector<float> floats;
    std::vector<std::byte> bytes;
    worker.for_each_task(tasks.size(), [&](std::size_t i) {
      if (failed.load(std::memory_order_relaxed)) return;
      Status status = writer.copy(tasks[i], importance, floats, bytes);
      const std::size_t ready = done.fetch_add(1) + 1;
      if (status.ok() && worker.index() == 0 &&
          !progress(static_cast<double>(ready) / static_cast<double>(tasks.size()))) {
        status = Error{ErrorCode::kCancelled, "stopped"};
      }
      if (status.ok()) return;
      const std::lock_guard lock(mutex);
      if (!failed.exchange(true)) failure = std::move(status);
    });
  });
  return failure;
}

// Sums of squares aren't kept, so that with them it has to be done in one go.
bool can_go_on(const QuantizeOptions& options) {
  return options.imatrix_out.empty();
}

// Of all that the file's bytes depend on.
Result<std::uint64_t> key_of(const engine::ModelParts& parts, const QuantizeOptions& options, kernels::Isa isa) {
  constexpr std::uint64_t kVersion = 1;  // another way of quantising takes another number
  const std::vector<std::byte> identity = parts.model.source->identity();
  LFM_ASSIGN(const format::PackSource source, format::PackSource::of(parts.model.source->files, identity));
  const std::uint64_t numbers[] = {kVersion,
                                   source.stamps,
                                   source.samples,
                                   static_cast<std::uint64_t>(options.type),
                                   static_cast<std::uint64_t>(options.method),
                                   options.calibration_tokens,
                                   static_cast<std::uint64_t>(isa)};
  return base::checksum(std::as_bytes(std::span(options.calibration)),
                        base::checksum(std::as_bytes(std::span(numbers))));
}

// What a killed run with the same options came to, if its matrices still lie in the unfinished file. Otherwise that
// file is cleared, and at most the texts are left of it.
Result<std::optional<CheckpointFile::State>> what_is_done(const CheckpointFile& checkpoint, const ModelWriter& writer,
                                                          const engine::ModelParts& parts) {
  std::optional<CheckpointFile::State> state = checkpoint.load();
  if (!state) {
    checkpoint.remove();
  } else if (state->layers > 0) {
    std::uint64_t found = 0;
    for (std::size_t i = 0; i < state->layers; ++i) {
      LFM_ASSIGN(found, written_checksum(parts, writer, i, found));
    }
    if (found == state->written) return state;
    *state = {0, 0, std::move(state->texts), {}};
  }
  LFM_TRY(writer.clear());
  return state;
}

Result<CheckpointFile> write_calibrated(const ModelWriter& writer, const engine::ModelParts& parts,
                                        const text::Tokenizer& tokenizer, base::Team& team, const std::string& out,
                                        const QuantizeOptions& options) {
  LFM_ASSIGN(const kernels::Isa isa, base::chosen_isa());
  LFM_ASSIGN(const std::uint64_t key, key_of(parts, options, isa));
  const std::size_t window = std::min(kTextTokens, parts.config.max_positions());
  Calibration calibration{
      {}, options.method == QuantizeMethod::kOneStream, CheckpointFile(can_go_on(options) ? out : "", key), {}};
  LFM_ASSIGN(std::optional<CheckpointFile::State> state, what_is_done(calibration.checkpoint, writer, parts));
  if (state) {
    calibration.done = *std::move(state);
    calibration.texts = calibration.done.texts;
  } else if (options.calibration.empty()) {
    LFM_ASSIGN(calibration.texts, sampled_texts(parts.model.path, options.calibration_tokens, window, team.size(),
                                                progress_of(options, QuantizePhase::kSampling)));
    LFM_TRY(calibration.checkpoint.save({0, 0, calibration.texts, {}}));
  } else {
    LFM_ASSIGN(calibration.texts, cut_text(tokenizer, options.calibration, options.calibration_tokens, window));
  }
  Imatrix seen;
  LFM_TRY(quantize_calibrated(parts, writer, calibration, kernels::table(isa), team,
                              progress_of(options, QuantizePhase::kCalibrated), seen));
  if (!options.imatrix_out.empty()) {
    LFM_TRY(seen.write(options.imatrix_out, options.calibration.empty() ? "the model's own text" : "a text",
                       calibration.texts.size(), window,
                       options.overwrite ? base::AtomicFile::Existing::kReplace : base::AtomicFile::Existing::kKeep));
  }
  return calibration.checkpoint;
}

bool same_path(const std::string& a, const std::string& b) {
  std::error_code code;
  const auto canonical = [&](const std::string& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, code), code);
  };
  return canonical(a) == canonical(b);
}

Result<QuantizeInfo> run(const std::string& path, const std::string& out, const QuantizeOptions& options) {
  LFM_ASSIGN(base::Team team, base::Team::create(options.threads != 0 ? options.threads : base::default_threads()));
  LFM_ASSIGN(const engine::ModelParts parts, engine::ModelParts::open(path));
  if (parts.model.packed) {
    return Error{ErrorCode::kArgument, "is packed: give the file that it was made from", base::printable(path)};
  }
  LFM_TRY(engine::check_new_file(path, out, options.overwrite));
  if (!options.imatrix_out.empty()) {
    LFM_TRY(engine::check_new_file(path, options.imatrix_out, options.overwrite));
    if (same_path(out, options.imatrix_out)) {
      return Error{ErrorCode::kArgument,
                   "an importance matrix is to be written to it, and it is the new model's file too",
                   base::printable(options.imatrix_out)};
    }
  }
  LFM_ASSIGN(const text::Tokenizer tokenizer, parts.tokenizer());
  std::vector<format::TensorType> types;
  for (const model::Tensor& tensor : parts.table.tensors) types.push_back(target_type(tensor, options.type));
  const bool four_bits = options.type == WeightType::kQ4_0 || options.type == WeightType::kIQ4_NL;
  std::optional<Imatrix> importance;
  if (!options.imatrix.empty()) {
    LFM_ASSIGN(importance, Imatrix::read(options.imatrix));
  }
  const bool calibrated = four_bits && options.method != QuantizeMethod::kNoData && !importance;
  const bool goes_on = calibrated && can_go_on(options);
  LFM_ASSIGN(ModelWriter writer, ModelWriter::create(parts, options.type, std::move(types), out, goes_on));
  CheckpointFile checkpoint(out, 0);
  // What is written now isn't what a killed run's says.
  if (!goes_on) checkpoint.remove();
  if (calibrated) {
    LFM_ASSIGN(checkpoint, write_calibrated(writer, parts, tokenizer, team, out, options));
  }
  LFM_TRY(write_plain(writer, parts, team, options, calibrated, importance ? &*importance : nullptr));
  LFM_TRY(writer.commit(options.overwrite));
  checkpoint.remove();
  return writer.info();
}

}  // namespace
}  // namespace quantize

Result<QuantizeInfo> quantize_model(const std::string& model, const std::string& out, const QuantizeOptions& options) {
  return engine::guarded([&] { return quantize::run(model, out, options); });
}

}  // namespace lfm
