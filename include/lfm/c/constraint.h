/* What an answer may be: held to while the model speaks. docs/structured-output.md says how. */
#ifndef LFM_C_CONSTRAINT_H
#define LFM_C_CONSTRAINT_H

#include "lfm/c/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lfm_constraint lfm_constraint;

/* JSON of a schema; what of it can't be held to is LFM_UNSUPPORTED (field: the JSON pointer to it). */
LFM_API lfm_code lfm_constraint_from_json_schema(const char* schema, lfm_constraint** constraint, lfm_error* error);

/* The same with "format" as the schema's draft has it, where that is a remark and says nothing. */
LFM_API lfm_code lfm_constraint_from_json_schema_by_draft(const char* schema, lfm_constraint** constraint,
                                                          lfm_error* error);

/* The texts that match a regular expression of ECMA-262 from end to end. */
LFM_API lfm_code lfm_constraint_from_regex(const char* pattern, lfm_constraint** constraint, lfm_error* error);

typedef struct lfm_tool_constraint {
  size_t size;
  bool optional;    /* calls may come, with text around them; otherwise calls and nothing else */
  bool single;      /* one call and no more */
  bool json_form;   /* calls as JSON, for models that write them so; otherwise as Python writes them */
  const char* only; /* the name of the tool to be called; NULL: any of them */
  bool text;        /* text may come before calls that have to come, and behind them */
  bool none;        /* no calls: the answer is free but for them */
} lfm_tool_constraint;

/* Calls of tools, which are as in lfm_chat_options. options: NULL for the defaults. */
LFM_API lfm_code lfm_constraint_from_tools(const char* tools, const lfm_tool_constraint* options,
                                           lfm_constraint** constraint, lfm_error* error);

/* Calls, of lfm_constraint_from_tools() with `optional`, or an answer that makes none, of a schema or a pattern: what
 * the answer is where the model doesn't begin it with a call. Both may be freed. */
LFM_API lfm_code lfm_constraint_either(const lfm_constraint* calls, const lfm_constraint* answer,
                                       lfm_constraint** constraint, lfm_error* error);

/* Makes now what the first generation with it would make otherwise. */
LFM_API lfm_code lfm_constraint_prepare(const lfm_constraint* constraint, const lfm_engine* engine, lfm_error* error);

/* May be freed before what it was given to. */
LFM_API void lfm_constraint_free(lfm_constraint* constraint);

/* Whether a text is one of those, and otherwise the offset of its first byte that can't be; JSON may be spelt in any
 * way. offset: may be NULL. */
LFM_API lfm_code lfm_constraint_check(const lfm_constraint* constraint, const char* text, size_t bytes, bool* allowed,
                                      size_t* offset, lfm_error* error);

#ifdef __cplusplus
}
#endif

#endif
