#include "lfm/quantize.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <mutex>
#include <optional>
#include <utility>

#include "api/guarded.h"
#include "base/atomic_file.h"
#include "base/checksum.h"
#include "base/cores.h"
#include "base/cpu.h"
#include "base/folder.h"
#include "base/team.h"
#include "base/try.h"
#include "engine/load/draft.h"
#include "engine/load/load.h"
#include "engine/load/model_parts.h"
#include "format/pack_file.h"
#include "kernels/table.h"
#include "quantize/blocks/encode.h"
#include "quantize/blocks/grid.h"
#include "quantize/calibrated.h"
#include "quantize/checkpoint.h"
#include "quantize/imatrix.h"
#include "quantize/model_writer.h"
#include "quantize/prepare.h"

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
    worker.for_each_task(tasks.size(), [&](std::size_t i) {
      if (failed.load(std::memory_order_relaxed)) return;
      Status status = writer.copy(tasks[i], importance);
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

// Sums of squares aren't kept, so that with them it has to be done in one go; and what takes minutes is done again
// sooner than every layer is brought to the disk.
bool can_go_on(const QuantizeOptions& options) {
  return options.imatrix_out.empty() && options.method != QuantizeMethod::kNoData;
}

// Of all that the file's bytes depend on.
Result<std::uint64_t> key_of(const engine::ModelParts& parts, const QuantizeOptions& options, kernels::Isa isa) {
  constexpr std::uint64_t kVersion = 5;  // another way of quantising takes another number
  const std::vector<std::byte> identity = parts.model.source->identity();
  LFM_ASSIGN(const format::PackSource source, format::PackSource::of(parts.model.source->files, identity));
  const std::uint64_t numbers[] = {kVersion,
                                   source.stamps,
                                   source.samples,
                                   static_cast<std::uint64_t>(options.type),
                                   static_cast<std::uint64_t>(options.method),
                                   static_cast<std::uint64_t>(options.mix),
                                   std::bit_cast<std::uint64_t>(options.mix_bits),
                                   options.calibration_tokens,
                                   static_cast<std::uint64_t>(isa)};
  return base::checksum(std::as_bytes(std::span(options.calibration)),
                        base::checksum(std::as_bytes(std::span(numbers))));
}

// Where the matrices of a killed run don't lie in the unfinished file as its state says, all of that file goes, and of
// the state what was prepared stays.
Status check_written(const ModelWriter& writer, const engine::ModelParts& parts, CheckpointFile::State& state) {
  if (state.layers > 0) {
    std::uint64_t found = 0;
    for (std::size_t i = 0; i < state.layers; ++i) {
      LFM_ASSIGN(found, written_checksum(parts, writer, i, found));
    }
    if (found == state.written) return {};
    state = {0, 0, std::move(state.prepared), {}};
  }
  return writer.clear();
}

Status write_calibrated(const ModelWriter& writer, const engine::ModelParts& parts, const Calibration& calibration,
                        base::Team& team, const QuantizeOptions& options) {
  LFM_ASSIGN(const kernels::Isa isa, base::chosen_isa());
  Imatrix seen;
  LFM_TRY(quantize_calibrated(parts, writer, calibration, kernels::table(isa), team,
                              progress_of(options, QuantizePhase::kCalibrated), seen));
  if (options.imatrix_out.empty()) return {};
  return seen.write(options.imatrix_out, options.calibration.empty() ? "the model's own text" : "a text",
                    calibration.done.prepared.texts.size(), kTextTokens,
                    options.overwrite ? base::AtomicFile::Existing::kReplace : base::AtomicFile::Existing::kKeep);
}

bool has_grid(WeightType type) {
  return grid_of(tensor_type(type)) != nullptr;
}

// Nothing that is asked for is left out in silence.
Status check(const QuantizeOptions& options) {
  const auto refused = [](const char* why, const char* option) { return Error{ErrorCode::kArgument, why, option}; };
  if (!has_grid(options.type)) {
    constexpr const char* kWhy = "floats and Q8_0 are rounded to what is nearest: there is nothing to go by";
    if (!options.calibration.empty()) return refused(kWhy, "calibration");
    if (!options.imatrix.empty()) return refused(kWhy, "imatrix");
    if (!options.imatrix_out.empty()) return refused(kWhy, "imatrix_out");
    if (options.mix != Mix::kNone) return refused(kWhy, "mix");
  }
  return {};
}

Result<QuantizeInfo> run(const std::string& path, const std::string& out, const QuantizeOptions& options) {
  LFM_TRY(check(options));
  LFM_ASSIGN(base::Team team, base::Team::create(options.threads != 0 ? options.threads : base::usable_cores().all));
  LFM_ASSIGN(const engine::ModelParts parts, engine::ModelParts::open(path));
  LFM_TRY(engine::check_talks(parts));
  if (parts.model.packed) {
    return Error{ErrorCode::kArgument, "is packed: give the file that it was made from", base::printable(path)};
  }
  LFM_TRY(engine::check_new_file(path, out, options.overwrite));
  if (!options.imatrix_out.empty()) {
    LFM_TRY(engine::check_new_file(path, options.imatrix_out, options.overwrite));
    if (base::same_file(out, options.imatrix_out)) {
      return Error{ErrorCode::kArgument,
                   "an importance matrix is to be written to it, and it is the new model's file too",
                   base::printable(options.imatrix_out)};
    }
    LFM_ASSIGN(const base::AtomicFile writable, base::AtomicFile::create(options.imatrix_out, 0));
  }
  std::optional<Imatrix> importance;
  if (!options.imatrix.empty()) {
    LFM_ASSIGN(importance, Imatrix::read(options.imatrix));
  }
  const bool calibrated = has_grid(options.type) && !importance;
  const bool goes_on = calibrated && can_go_on(options);
  LFM_ASSIGN(const kernels::Isa isa, base::chosen_isa());
  LFM_ASSIGN(const std::uint64_t key, key_of(parts, options, isa));
  Calibration calibration{options.method, CheckpointFile(goes_on ? out : "", key), {}};
  if (auto left = calibration.checkpoint.load(parts)) {
    calibration.done = *std::move(left);
  } else {
    // Nobody else writes it meanwhile, and what is written from here on isn't what another state says.
    LFM_ASSIGN(const base::AtomicFile held, base::AtomicFile::create(out, 0));
    CheckpointFile(out, key).remove();
    LFM_ASSIGN(calibration.done.prepared, prepare(parts, options, calibrated, base::folder_of(out), team));
    LFM_TRY(calibration.checkpoint.save(calibration.done));
  }
  const MixPlan& mix = calibration.done.prepared.mix;
  LFM_ASSIGN(ModelWriter writer,
             ModelWriter::create(parts, options.type, types_with(parts, options.type, mix), out, goes_on));
  if (goes_on) LFM_TRY(check_written(writer, parts, calibration.done));
  if (calibrated) LFM_TRY(write_calibrated(writer, parts, calibration, team, options));
  LFM_TRY(write_plain(writer, parts, team, options, calibrated, importance ? &*importance : nullptr));
  LFM_TRY(writer.commit(options.overwrite));
  calibration.checkpoint.remove();
  QuantizeInfo info = writer.info();
  info.mix_divergence = mix.divergence;
  for (const MixRow& row : mix.rows) {
    info.mix.push_back(
        {gguf_name(parts.table.tensors[row.tensor]), to_string(row.type), row.more_bytes, row.divergence, row.gain});
  }
  return info;
}

}  // namespace
}  // namespace quantize

Result<QuantizeInfo> quantize_model(const std::string& model, const std::string& out, const QuantizeOptions& options) {
  return engine::guarded([&] { return quantize::run(model, out, options); });
}

}  // namespace lfm
