# Whether the C interface's binary interface is the one that is written down in c.abi, by Debian's abigail-tools; new
# functions may come. What the library exports is what the headers declare (check_exports.cmake), so that it is enough to
# look at those: they are compiled with bodies.
# cmake -DHEADERS=<include> -DC=<compiler> -DABIDW=... -DABIDIFF=... -DREFERENCE=c.abi -DBUILD=<folder> -P abi.cmake
# Where a change is meant, -DUPDATE=ON writes the reference; then look at its difference, and at LFM_ABI_VERSION.
file(MAKE_DIRECTORY ${BUILD})
set(source "#include <lfm/c.h>\n")
file(GLOB headers ${HEADERS}/lfm/c/*.h)
foreach(header IN LISTS headers)
  file(READ ${header} text)
  string(REGEX REPLACE "/\\*[^*]*\\*+([^/*][^*]*\\*+)*/" "" text "${text}")
  string(REGEX MATCHALL "\nLFM_API [^;]+;" declarations "${text}")
  foreach(declaration IN LISTS declarations)
    string(REGEX REPLACE "\nLFM_API (.*)$" "\\1 { __builtin_trap()~ }\n" function "${declaration}")
    string(REPLACE "~" "\;" function "${function}")
    string(APPEND source "${function}")
  endforeach()
endforeach()
string(REPLACE "\\;" ";" source "${source}")
file(WRITE ${BUILD}/abi.c "${source}")
execute_process(COMMAND ${C} -std=c11 -g -O0 -fPIC -shared -fdebug-prefix-map=${BUILD}=. -I${HEADERS} ${BUILD}/abi.c -o ${BUILD}/libabi.so
                COMMAND_ERROR_IS_FATAL ANY)
if(UPDATE)
  execute_process(COMMAND ${ABIDW} --no-show-locs --no-comp-dir-path --no-corpus-path --no-architecture
                  --out-file ${REFERENCE} ${BUILD}/libabi.so COMMAND_ERROR_IS_FATAL ANY)
endif()
execute_process(COMMAND ${ABIDIFF} --no-added-syms --no-architecture --suppressions ${CMAKE_CURRENT_LIST_DIR}/abi.suppressions ${REFERENCE} ${BUILD}/libabi.so
                RESULT_VARIABLE changed)
if(changed)
  message(FATAL_ERROR "the C interface isn't what it was (see above); where that is meant: ${CMAKE_COMMAND} -DUPDATE=ON ...")
endif()
