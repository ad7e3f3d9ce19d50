// Question files: one question a line, as JSON.
#pragma once

#include <string>
#include <vector>

#include "lfm/evaluate.h"
#include "lfm/result.h"

namespace lfm::cli {

//   text, expect   the whole prompt and the answer
//   match          "exact", "contains" (it is somewhere in the answer; "ends" in models/nano) or "json"; without it
//   exact max_tokens     without it 256 kind           what the question is about; may be missing
// Other members may be there. kFormat with file and line as field;   kIo, kLimit
Result<std::vector<ExamQuestion>> read_exam(const std::string& path);

// Puts the questions and prints the table. The program's exit status.
int run_exam(const Engine& engine, const std::vector<ExamQuestion>& questions, bool show,
             const SessionOptions& session);

}  // namespace lfm::cli
