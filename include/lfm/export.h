// What a shared library of lfm shows to applications; all else in it is hidden.
#pragma once

#define LFM_API __attribute__((visibility("default")))
