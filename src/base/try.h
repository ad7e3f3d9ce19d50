// Early return of errors inside the library.
#pragma once

#include "lfm/result.h"

#define LFM_CONCAT_(a, b) a##b
#define LFM_CONCAT(a, b) LFM_CONCAT_(a, b)

// LFM_TRY(status_expression);
#define LFM_TRY(expression) LFM_TRY_(LFM_CONCAT(lfm_status_, __COUNTER__), expression)
#define LFM_TRY_(status, expression)                           \
  do {                                                         \
    if (auto status = (expression); !status.ok()) [[unlikely]] \
      return std::move(status).error();                        \
  } while (false)

// LFM_ASSIGN(auto file, open(path));   declares or assigns the value, or returns the error
#define LFM_ASSIGN(target, expression) LFM_ASSIGN_(LFM_CONCAT(lfm_result_, __LINE__), target, expression)
#define LFM_ASSIGN_(result, target, expression) \
  auto result = (expression);                   \
  if (!result.ok()) [[unlikely]]                \
    return std::move(result).error();           \
  target = *std::move(result)
