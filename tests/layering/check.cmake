# Who may include whom: cmake -DROOT=<tree> -P check.cmake fails and names every include that isn't allowed.
# Each folder of the tree below lists what its files may include besides the C++ standard library: patterns over the
# text between the quotes or angle brackets.

set(std "[a-z_]+")
set(posix "(cpuid|fcntl|poll|pthread|sched|signal|unistd)\\.h|(sys|linux)/[a-z]+\\.h")

set(include/lfm_may "lfm/.*")
set(include/lfm/c/common.h_may "std(bool|def|int)\\.h")  # which is C
set(kernels_may "kernels/.*|immintrin\\.h|arm_neon\\.h")
set(src/base_may "fenv\\.h|stdio\\.h|base/.*|lfm/.*|kernels/isas?\\.(h|inc)|immintrin\\.h|${posix}")
set(src/format_may "format/.*|base/.*|lfm/.*")
set(src/text_may "text/.*|base/.*|lfm/.*")
set(src/chat_may "chat/.*|text/.*|base/.*|lfm/.*")
set(src/constrain_may "constrain/.*|text/.*|base/.*|lfm/.*")
set(src/ops_may "ops/.*|kernels/.*|base/.*|lfm/.*")
set(src/model_may "model/.*|ops/.*|kernels/.*|base/.*|lfm/.*")
set(src/source_may "source/.*|model/.*|text/.*|format/.*|base/.*|lfm/.*")
set(src/engine_may "(engine|constrain|chat|source|model|ops|text|format|kernels|base|lfm)/.*")
set(src/api_may "(api|engine|constrain|chat|model|ops|text|format|base|lfm)/.*")
set(src/c_may "c/.*|base/try\\.h|lfm/.*")
set(src/evaluate_may "(evaluate|api|base|lfm)/.*")
set(src/quantize_may "(quantize|api|engine|model|ops|text|format|kernels|base|lfm)/.*")
set(floor "base/(atomic_file|descriptor|file|try)\\.h")  # of the target lfm_floor
set(tools/lfm_may "lfm/.*|[a-z_]+\\.h|talk/.*|${floor}|${posix}")  # public headers, the floor, and its own

# Third parties, each in one place.
set(src/base/checksum.cc_may "xxhash\\.h")
set(src/ops/xnn_linear.cc_may "xnnpack\\.h")
set(src/quantize/dense.inc_may "Eigen/Dense")
set(src/chat/json.cc_may "nlohmann/json\\.hpp")
set(src/constrain/json_value.cc_may "nlohmann/json\\.hpp")
set(src/format/json.h_may "nlohmann/json\\.hpp")
set(tools/lfm/options.cc_may "CLI/CLI\\.hpp")
set(tools/lfm/inspect.cc_may "nlohmann/json\\.hpp")
set(tools/lfm/bench_report.cc_may "nlohmann/json\\.hpp")
set(tools/lfm/talk/json_text.h_may "nlohmann/json\\.hpp")

set(breaches 0)
foreach(folder include/lfm kernels src/base src/format src/text src/constrain src/chat src/ops src/model src/source src/engine src/api src/evaluate src/quantize src/c tools/lfm)
  file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/${folder}/*.h ${ROOT}/${folder}/*.cc ${ROOT}/${folder}/*.inc)
  foreach(file IN LISTS files)
    set(may "${std}|${${folder}_may}")
    if(DEFINED ${file}_may)
      string(APPEND may "|${${file}_may}")
    endif()
    file(STRINGS ${ROOT}/${file} lines REGEX "^[ \t]*#[ \t]*include")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"]*)[>\"].*" "\\1" name "${line}")
      if(NOT name MATCHES "^(${may})$")
        message("${file}: ${folder} may not include ${name}")
        math(EXPR breaches "${breaches} + 1")
      endif()
    endforeach()
  endforeach()
endforeach()
if(breaches)
  message(FATAL_ERROR "${breaches} includes break the layering (tests/layering/check.cmake)")
endif()
