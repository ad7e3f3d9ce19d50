# What every target of ours is compiled with; lfm_flags is never installed.
# The presets for work on it stop at warnings; release does not, for another compiler may warn of something new.
add_library(lfm_flags INTERFACE)
target_compile_features(lfm_flags INTERFACE cxx_std_20)
target_include_directories(lfm_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
target_compile_options(lfm_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -fvisibility=hidden)
# GCC 12 sees overlapping copies in std::string operator+ that aren't there (GCC bug 105651).
target_compile_options(lfm_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
# The same bits on every CPU: no multiply-add unless it is written out (plain x86-64 has none).
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(lfm_flags INTERFACE -ffp-contract=off)
endif()
set(LFM_SANITIZE "" CACHE STRING "Sanitizers, such as address,undefined or thread")
if(LFM_SANITIZE)
  target_compile_options(lfm_flags INTERFACE -fsanitize=${LFM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(lfm_flags INTERFACE -fsanitize=${LFM_SANITIZE})
  # Its check of virtual tables opens a pipe to see whether memory is there, and errs where a test has used up descriptors.
  if(LFM_SANITIZE MATCHES undefined)
    target_compile_options(lfm_flags INTERFACE -fno-sanitize=vptr)
  endif()
endif()
