# run.cmake with the package of a shared library: cmake -DSOURCE=<this project> -DBUILD=<a new build tree>, and what
# run.cmake takes, -P run_shared.cmake
# -DLIBRARY=liblfm.so.X.Y.Z spares the build, which it is what would come of.
file(REMOVE_RECURSE ${BUILD}/src)
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILD} -G ${GENERATOR} -DBUILD_SHARED_LIBS=ON
  -DCMAKE_BUILD_TYPE=Release -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=12 -DLFM_BUILD_TESTS=OFF
  -DLFM_BUILD_TOOLS=OFF -DLFM_BUILD_EXAMPLES=OFF -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_C_COMPILER=${C}
  COMMAND_ERROR_IS_FATAL ANY)
if(LIBRARY)
  get_filename_component(name ${LIBRARY} NAME)
  string(REGEX MATCH "^liblfm.so.[0-9]+.[0-9]+" soname ${name})
  file(COPY ${LIBRARY} DESTINATION ${BUILD}/src)
  foreach(link ${soname} liblfm.so)
    file(CREATE_LINK ${name} ${BUILD}/src/${link} SYMBOLIC)
  endforeach()
else()
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} COMMAND_ERROR_IS_FATAL ANY)
endif()
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)
