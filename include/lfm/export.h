// What a shared library of lfm shows to applications; all else in it is hidden.
#pragma once

#if __cplusplus < 202002L
#error "lfm's C++ headers need C++20 (-std=c++20); lfm/c.h needs C99, or any C++"
#endif

#define LFM_API __attribute__((visibility("default")))
