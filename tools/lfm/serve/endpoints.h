// What is of no dialect but llama.cpp's: how the server and its model are, tokens, and what there is not.
#pragma once

#include "serve/routes.h"

namespace lfm::serve {

void get_health(const Call& call);
void get_props(const Call& call);
void get_metrics(const Call& call);
void get_slots(const Call& call);
void get_page(const Call& call);
void post_tokenize(const Call& call);
void post_detokenize(const Call& call);
void post_apply_template(const Call& call);
void not_supported(const Call& call);  // 501, which says what there is none of

}  // namespace lfm::serve
