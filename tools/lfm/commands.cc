#include "command.h"

namespace lfm::cli {

void add_all(CommandLine& line) {
  add_chat(line);
  add_run(line);
  add_tokenize(line);
  add_detokenize(line);
  add_logits(line);
  add_pack(line);
  add_convert(line);
  add_quantize(line);
  add_perplexity(line);
  add_inspect(line);
  add_schema(line);
#ifdef LFM_SERVER
  add_serve(line);
  add_batch(line);
#endif
  add_bench(line);
  add_pull(line);
  add_list(line);
  add_remove(line);
}

}  // namespace lfm::cli
