# A project around this one, by FetchContent: built, run, and installed, which puts nothing of the library in place.
# cmake -DSOURCE=<this project> -DBUILD=<a new build tree> -DCXX=... -DC=... -DMODEL=... -DGENERATOR=Ninja
#       -P run_within.cmake
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${BUILD}/installed)
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/parent -B ${BUILD} -G ${GENERATOR} -DFETCH=ON -DLFM_SOURCE=${SOURCE}
    -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_C_COMPILER=${C} -DCMAKE_BUILD_TYPE=Release -DCMAKE_UNITY_BUILD=ON
    -DCMAKE_UNITY_BUILD_BATCH_SIZE=12)
run(${CMAKE_COMMAND} --build ${BUILD})
run(${BUILD}/within ${MODEL})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${BUILD}/installed)
file(GLOB_RECURSE installed RELATIVE ${BUILD}/installed ${BUILD}/installed/*)
if(NOT installed STREQUAL "bin/within")
  message(FATAL_ERROR "installed besides the program: ${installed}")
endif()
