# The same with a shared library, which is built for it: cmake -DSOURCE=<this project> -DBUILD=<a new build tree>, and
# what run.cmake takes, -P run_shared.cmake
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILD} -G ${GENERATOR} -DBUILD_SHARED_LIBS=ON
  -DCMAKE_BUILD_TYPE=Release -DLFM_BUILD_TESTS=OFF -DLFM_BUILD_TOOLS=OFF -DLFM_BUILD_EXAMPLES=OFF
  -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_C_COMPILER=${C} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} COMMAND_ERROR_IS_FATAL ANY)
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)
