#include "ops/attention.h"

#include <algorithm>
#include <cmath>

#include "kernels/math/math.h"
#include "ops/linear.h"

namespace lfm::ops {

using kernels::kKvBlock;
using kernels::kMaxQueries;
using kernels::kSplit;

namespace {

const kernels::KvKernels& kernels_of(const Context& c, const KvLayer& cache) {
  return c.kernels.attention.of(cache.format);
}

}  // namespace

void rotary_angles(const Context& c, double rope_base, std::size_t head_dim, Rows rows, std::size_t position) {
  const std::size_t half = head_dim / 2;
  const base::Range part = c.worker.part(rows.count);
  for (std::size_t t = part.begin; t < part.end; ++t) {
    const std::size_t row = (rows.first + t) * half;
    kernels::rotary_angles(rope_base, position + t, half, &c.workspace.cos[row], &c.workspace.sin[row]);
  }
}

void Attention::mix(const Context& c, const float* gamma, float eps, std::span<const KvRun> runs) const {
  Workspace& w = c.workspace;
  const std::size_t hidden = o.rows;
  const Activations& in = prepare(c, hidden, q.form() | k.form() | v.form(), [&](std::size_t token, float* scratch) {
    c.kernels.vector.rms_norm(w.x.data() + token * hidden, gamma, hidden, eps, scratch);
    return scratch;
  });

  const Matrix* const matrices[] = {&q, &k, &v};
  const std::size_t first_column[] = {0, heads * head_dim, (heads + kv_heads) * head_dim};
  for_row_blocks(c, {q.tiles(), k.tiles(), v.tiles()}, [&](std::size_t which, base::Range tiles) {
    linear(c, *matrices[which], {tiles}, in, w.wide.data() + first_column[which], stride());
  });
  c.worker.barrier();
  c.done(Phase::kQkv);

  if (c.tokens == 1) {
    attend_one(c, eps, runs[0]);
  } else {
    attend_many(c, eps, runs);
  }
  c.worker.barrier();
  c.done(Phase::kAttention);
}

void Attention::add_out(const Context& c) const {
  add_mixed(c, o, Phase::kAttentionOut);
}

// Norms and rotates the queries and the key of one KV head of a row in place, and adds key and value to the cache.
void Attention::append(const Context& c, const KvRun& run, std::size_t row, std::size_t kv_head, float eps) const {
  const kernels::VectorKernels& vector = c.kernels.vector;
  const float* cos = c.workspace.cos.data() + row * head_dim / 2;
  const float* sin = c.workspace.sin.data() + row * head_dim / 2;
  float* qkv = c.workspace.wide.data() + row * stride();
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
  for (std::size_t head = kv_head * group(); head < (kv_head + 1) * group(); ++head) {
    float* query = qkv + head * head_dim;
    vector.rms_norm(query, q_norm, head_dim, eps, query);
    vector.rope(query, cos, sin, head_dim);
    for (std::size_t i = 0; i < head_dim; ++i) query[i] *= scale;
  }
  append(c, run, row, kv_head, eps, qkv + (heads + kv_head) * head_dim, qkv + (heads + kv_heads + kv_head) * head_dim);
}

void Attention::append(const Context& c, const KvRun& run, std::size_t row, std::size_t kv_head, float eps, float* key,
                       const float* value) const {
  const std::size_t angles = row * head_dim / 2;
  c.kernels.vector.rms_norm(key, k_norm, head_dim, eps, key);
  c.kernels.vector.rope(key, c.workspace.cos.data() + angles, c.workspace.sin.data() + angles, head_dim);
  const KvLayer& cache = run.cache;
  const std::size_t position = run.position + (row - run.rows.first);
  std::byte* const block = cache.pages[position / kKvBlock] + cache.offset + kv_head * cache.block_bytes;
  kernels_of(c, cache).append(key, value, position % kKvBlock, head_dim, block);
}

// A row alone: tasks are (split of the context, some KV heads), whose keys and values lie side by side. Members help
// each other, as with matrices, so that one that is slow, or that memory serves late, holds nobody up for long.
void Attention::attend_one(const Context& c, float eps, const KvRun& run) const {
  Workspace& w = c.workspace;
  const base::Range appended = c.worker.part(kv_heads);
  for (std::size_t kv_head = appended.begin; kv_head < appended.end; ++kv_head) append(c, run, 0, kv_head, eps);
  c.worker.barrier();

  constexpr std::size_t kTasksEach = 4;  // at least, so that members come to an end together
  const std::size_t splits = (run.position - run.begin) / kSplit + 1;
  const std::size_t most = kMaxQueries / std::min(group(), kMaxQueries);
  const std::size_t at_once = std::clamp<std::size_t>(kv_heads * splits / (kTasksEach * c.worker.count()), 1, most);
  const std::size_t of_split = (kv_heads + at_once - 1) / at_once;
  c.worker.for_each_run(of_split * splits, {}, [&](base::Range tasks) {
    for (std::size_t task = tasks.begin; task < tasks.end; ++task) {
      const std::size_t first = task % of_split * at_once;
      attend_split(c, run, task / of_split, {first, std::min(first + at_once, kv_heads)});
    }
  });
  c.worker.barrier();

  const base::Range merged = c.worker.part(heads);
  for (std::size_t head = merged.begin; head < merged.end; ++head) {
    c.kernels.attention.merge(w.partial_m.data() + head, w.partial_l.data() + head, static_cast<std::ptrdiff_t>(heads),
                              w.partial_o.data() + head * head_dim, static_cast<std::ptrdiff_t>(heads * head_dim),
                              splits, head_dim, w.mixed.data() + head * head_dim);
  }
}

// What some KV heads give of a split, for a row alone.
void Attention::attend_split(const Context& c, const KvRun& run, std::size_t split, base::Range kv_heads_now) const {
  Workspace& w = c.workspace;
  std::uint32_t limits[kMaxQueries];
  std::fill(std::begin(limits), std::end(limits), static_cast<std::uint32_t>(run.position + 1));
  const std::size_t queries = std::min(group(), kMaxQueries), at_once = kMaxQueries / queries;
  for (std::size_t kv_head = kv_heads_now.begin; kv_head < kv_heads_now.end; kv_head += at_once) {
    const std::size_t count = std::min(at_once, kv_heads_now.end - kv_head);
    const std::size_t offset = run.cache.offset + kv_head * run.cache.block_bytes;
    for (std::size_t query = 0; query < group(); query += queries) {
      const std::size_t head = kv_head * group() + query;
      const std::size_t slot = split * heads + head;  // partials: (splits, heads)
      kernels_of(c, run.cache)
          .partial(w.wide.data() + head * head_dim, static_cast<std::ptrdiff_t>(head_dim), limits,
                   std::min(queries, group() - query), count, run.cache.pages, offset, run.begin + split * kSplit,
                   head_dim, w.partial_m.data() + slot, w.partial_l.data() + slot,
                   w.partial_o.data() + slot * head_dim);
    }
  }
}

// Several rows: tasks are (KV head, a few tokens of a run), whose queries share every key and value they read. One head
// comes after the other, so that its keys and values stay in the caches.
void Attention::attend_many(const Context& c, float eps, std::span<const KvRun> runs) const {
  const base::Range mine = c.worker.part(c.tokens);
  for (const KvRun& run : runs) {
    const std::size_t end = std::min(mine.end, run.rows.first + run.rows.count);
    for (std::size_t row = std::max(mine.begin, run.rows.first); row < end; ++row) {
      for (std::size_t kv_head = 0; kv_head < kv_heads; ++kv_head) append(c, run, row, kv_head, eps);
    }
  }
  c.worker.barrier();

  const std::size_t at_once = kMaxQueries / std::min(group(), kMaxQueries);  // tokens
  const auto blocks_of = [&](const KvRun& run) { return (run.rows.count + at_once - 1) / at_once; };
  std::size_t blocks = 0;
  for (const KvRun& run : runs) blocks += blocks_of(run);
  c.worker.for_each_task(blocks * kv_heads, [&](std::size_t task) {
    // The longest tasks of a head, of a run's last tokens, first.
    std::size_t block = blocks - 1 - task % blocks;
    const KvRun* run = runs.data();
    for (; block >= blocks_of(*run); ++run) block -= blocks_of(*run);
    const std::size_t first = block * at_once;
    const std::size_t last = std::min(first + at_once, run->rows.count);
    attend_block(c, *run, {run->rows.first + first, run->rows.first + last}, task / blocks);
  });
}

// At most kMaxQueries queries at a time: those of some heads of a group, of a few rows.
void Attention::attend_block(const Context& c, const KvRun& run, base::Range rows, std::size_t kv_head) const {
  const Workspace& w = c.workspace;
  const Workspace::Private& mine = c.mine();
  const auto limit_of = [&](std::size_t row) {
    return run.position + (run.both_ways ? run.rows.count : row - run.rows.first + 1);
  };
  const std::size_t offset = run.cache.offset + kv_head * run.cache.block_bytes;
  const std::size_t splits = (limit_of(rows.end - 1) - 1 - run.begin) / kSplit + 1;
  const std::size_t group_queries = std::min(group(), kMaxQueries);
  float* const partial_m = mine.partial_ml.data();
  float* const partial_l = partial_m + splits * kMaxQueries;
  for (std::size_t head = kv_head * group(); head < (kv_head + 1) * group(); head += group_queries) {
    const std::size_t heads_now = std::min(group_queries, (kv_head + 1) * group() - head);
    std::uint32_t limits[kMaxQueries];
    std::size_t queries = 0;
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      const float* source = w.wide.data() + row * stride() + head * head_dim;
      std::copy(source, source + heads_now * head_dim, mine.queries.data() + queries * head_dim);
      for (std::size_t i = 0; i < heads_now; ++i) limits[queries++] = static_cast<std::uint32_t>(limit_of(row));
    }
    for (std::size_t split = 0; split < splits; ++split) {
      kernels_of(c, run.cache)
          .partial(mine.queries.data(), static_cast<std::ptrdiff_t>(head_dim), limits, queries, 1, run.cache.pages,
                   offset, run.begin + split * kSplit, head_dim, partial_m + split * kMaxQueries,
                   partial_l + split * kMaxQueries, mine.partial_o.data() + split * kMaxQueries * head_dim);
    }
    for (std::size_t i = 0; i < queries; ++i) {
      const std::size_t row = rows.begin + i / heads_now;
      const std::size_t query_splits = (limits[i] - 1 - run.begin) / kSplit + 1;
      c.kernels.attention.merge(partial_m + i, partial_l + i, kMaxQueries, mine.partial_o.data() + i * head_dim,
                                static_cast<std::ptrdiff_t>(kMaxQueries * head_dim), query_splits, head_dim,
                                w.mixed.data() + (row * heads + head + i % heads_now) * head_dim);
    }
  }
}

}  // namespace lfm::ops
