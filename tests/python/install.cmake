# `pip install` of the checkout, which builds the library by CMake, into an environment of its own, where it is used:
# cmake -DPYTHON=<python3 with setuptools, wheel, pip and venv> -DSOURCE=<this project> -DBUILD=<folder> -DMODEL=<nano>
#       -P install.cmake
execute_process(COMMAND ${PYTHON} -c "import setuptools, wheel, ensurepip, pip, venv" RESULT_VARIABLE missing
                ERROR_VARIABLE problem)
if(missing)
  message("skipped: ${problem}")
  return()
endif()
file(REMOVE_RECURSE ${BUILD})
execute_process(COMMAND ${PYTHON} -m venv --system-site-packages ${BUILD} COMMAND_ERROR_IS_FATAL ANY)
unset(ENV{LFM_LIBRARY})
unset(ENV{PYTHONPATH})
execute_process(COMMAND ${BUILD}/bin/pip install --no-build-isolation --no-deps ${SOURCE}/bindings/python
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${BUILD}/bin/python -c "
import lfm
assert lfm.__file__.startswith('${BUILD}/'), lfm.__file__
engine = lfm.Engine('${MODEL}', threads=1)
print(engine.chat().answer(engine.session(), 'What is 17 + 25?').text)" WORKING_DIRECTORY / OUTPUT_VARIABLE said
                COMMAND_ERROR_IS_FATAL ANY)
if(NOT said STREQUAL "17 + 25 = 42.\n")
  message(FATAL_ERROR "it says: ${said}")
endif()
