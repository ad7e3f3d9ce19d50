# Installs the library into a folder of its own and builds tests/consumer against it, by find_package and by pkg-config.
# cmake -DBUILD=<build tree> -DCXX=<compiler> -DC=<compiler> -DLIBDIR=lib -DMODEL=<model file> -DGENERATOR=Ninja
#       -P run.cmake
set(prefix ${BUILD}/consumer/installed)
set(tree ${BUILD}/consumer/build)
file(REMOVE_RECURSE ${BUILD}/consumer)

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix} --component dev)
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${tree} -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${prefix}
    -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_C_COMPILER=${C} -DCMAKE_BUILD_TYPE=Debug)
run(${CMAKE_COMMAND} --build ${tree})
run(${tree}/from_cxx ${MODEL})
run(${tree}/from_c ${MODEL})
run(${tree}/from_cxx17 ${MODEL})

# What docs/cpp.md tells a newcomer.
file(READ ${CMAKE_CURRENT_LIST_DIR}/../../docs/cpp.md page)
string(REGEX MATCH "\n```cmake\n([^`]+)```" block "${page}")
file(WRITE ${tree}/mine/CMakeLists.txt "${CMAKE_MATCH_1}")
file(COPY_FILE ${CMAKE_CURRENT_LIST_DIR}/../../examples/complete.cc ${tree}/mine/mine.cc)
run(${CMAKE_COMMAND} -S ${tree}/mine -B ${tree}/mine/build -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${prefix}
    -DCMAKE_CXX_COMPILER=${CXX})
run(${CMAKE_COMMAND} --build ${tree}/mine/build)
run(${tree}/mine/build/mine ${MODEL} hello)

run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/c_only -B ${tree}/c_only -G ${GENERATOR}
    -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_C_COMPILER=${C} -DCMAKE_BUILD_TYPE=Debug)
run(${CMAKE_COMMAND} --build ${tree}/c_only)
run(${tree}/c_only/c_only ${MODEL})

# Configured alone: the library's own build is another test's.
foreach(fetch OFF ON)
  run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/parent -B ${tree}/parent_${fetch} -G ${GENERATOR} -DFETCH=${fetch}
      -DLFM_SOURCE=${CMAKE_CURRENT_LIST_DIR}/../.. -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_C_COMPILER=${C})
endforeach()

find_program(pkg_config NAMES pkg-config pkgconf)
if(NOT pkg_config)
  message("no pkg-config here: lfm.pc isn't tried")
  return()
endif()
set(ENV{PKG_CONFIG_PATH} ${prefix}/${LIBDIR}/pkgconfig)
execute_process(COMMAND ${pkg_config} --cflags --libs lfm OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(flags UNIX_COMMAND "${flags}")
set(ENV{LD_LIBRARY_PATH} ${prefix}/${LIBDIR})
run(${C} -std=c11 ${CMAKE_CURRENT_LIST_DIR}/main.c ${flags} -o ${tree}/from_pkg_config)
run(${tree}/from_pkg_config ${MODEL})
