# The compiler flags of each ISA that has kernels of its own.
set(LFM_X86 OFF)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(LFM_X86 ON)
endif()
set(LFM_AVX2_FLAGS -mavx2 -mfma -mf16c)
set(LFM_AVX512VNNI_FLAGS -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mavx2 -mfma -mf16c -mprefer-vector-width=512)
# GCC 12's AVX-512 intrinsics start from variables that are uninitialised on purpose, and warn of it.
list(APPEND LFM_AVX512VNNI_FLAGS $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized>)
