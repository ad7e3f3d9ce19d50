// Carries the precompiled header that all tests share (tests/CMakeLists.txt); has nothing of its own.
