// Everything of the library, for C++. For C there is lfm/c.h.
#pragma once

#include "lfm/chat.h"
#include "lfm/constraint.h"
#include "lfm/diagnostics.h"
#include "lfm/engine.h"
#include "lfm/evaluate.h"
#include "lfm/inspect.h"
#include "lfm/machine.h"
#include "lfm/mask.h"
#include "lfm/pack.h"
#include "lfm/quantize.h"
#include "lfm/result.h"
#include "lfm/session.h"
#include "lfm/session_pool.h"
#include "lfm/tokenizer.h"
#include "lfm/types.h"
