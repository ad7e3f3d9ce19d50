/* Runs LFM2 language models on a CPU. The same library as lfm/lfm.h, which is for C++ and whose headers say more; this
 * one needs C99 or C++ and nothing of the others.
 *
 *   lfm_engine* engine;
 *   lfm_session* session;
 *   lfm_error error;
 *   if (lfm_engine_open("LFM2-8B-A1B-Q4_0.gguf", NULL, &engine, &error) != LFM_OK) puts(error.message);
 *   if (lfm_session_new(engine, NULL, &session, &error) != LFM_OK) puts(error.message);
 *
 * Results: what can fail returns a code and, where `error` isn't NULL, fills it in when the code isn't LFM_OK. Values
 *   go to the pointers that come last before it, and only with LFM_OK unless said otherwise. Nothing aborts, prints or
 *   throws.
 * Pointers: a NULL where something belongs is LFM_ARGUMENT with its name in `field`; functions that return no code do
 *   nothing then, or return none of what they are asked for. Handles may be NULL in the functions that free them.
 *   Arrays are pointer and count; a pointer of zero elements may be NULL. Texts are UTF-8 with their length in bytes
 *   where that is a parameter, and otherwise end with a zero.
 * Structs that begin with `size` may grow at their end. Whoever makes one sets it, and the library reads and writes no
 *   more than that:
 *
 *     lfm_session_options options = {.size = sizeof options};
 *
 *   All else zero is the default of options. LFM_ARGUMENT where size isn't set, LFM_UNSUPPORTED where something is
 *   asked for in a part that this version of the library doesn't have. Other structs stay as they are.
 * Lifetime: an engine may be closed while sessions and chats of it live; they keep what they need.
 * Threads: an engine, a tokenizer, a constraint, a chat and a pool may be used by any number of threads; a session and
 * a conversation by one at a time, lfm_session_cancel() excepted. After fork(2) what needs an engine's threads is
 *   LFM_STATE in the child.
 */
#ifndef LFM_C_H
#define LFM_C_H

#include "lfm/c/chat.h"
#include "lfm/c/common.h"
#include "lfm/c/constraint.h"
#include "lfm/c/conversation.h"
#include "lfm/c/diagnostics.h"
#include "lfm/c/engine.h"
#include "lfm/c/evaluate.h"
#include "lfm/c/files.h"
#include "lfm/c/pool.h"
#include "lfm/c/quantize.h"
#include "lfm/c/session.h"
#include "lfm/c/tokenizer.h"

#endif
