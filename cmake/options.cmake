# What is used where it is there, must be there, or isn't used.
set(LFM_XNNPACK AUTO CACHE STRING "XNNPACK for dense Q4_0 matrices: AUTO, ON or OFF")
set(LFM_LIBEDIT AUTO CACHE STRING "libedit for the lines typed at a terminal: AUTO, ON or OFF")
set(LFM_SERVER AUTO CACHE STRING "lfm serve, with Boost.Beast: AUTO, ON or OFF")
foreach(option LFM_XNNPACK LFM_LIBEDIT LFM_SERVER)
  set_property(CACHE ${option} PROPERTY STRINGS AUTO ON OFF)
  if(NOT ${option} MATCHES "^(AUTO|ON|OFF)$")
    message(FATAL_ERROR "${option} must be AUTO, ON or OFF")
  endif()
endforeach()

# lfm_find(package option): finds the package as the option says.
macro(lfm_find package option)
  if("${${option}}" STREQUAL "ON")
    find_package(${package} REQUIRED)
  elseif("${${option}}" STREQUAL "AUTO")
    find_package(${package})
  endif()
endmacro()
