# How targets are declared here: one library per folder, one line per program, test and fuzz target.

# Warnings live in one INTERFACE target, so no folder can quietly do without them.
add_library(mtawatch_flags INTERFACE)
target_compile_options(mtawatch_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<BOOL:${MTAWATCH_WERROR}>:-Werror>)
target_include_directories(mtawatch_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)

# mtawatch_library(NAME SOURCES a.cc … DEPENDS other_library …)
# A folder without sources of its own (headers only) becomes an INTERFACE library.
function(mtawatch_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC mtawatch_flags ${arg_DEPENDS} PRIVATE ${arg_PRIVATE})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE mtawatch_flags ${arg_DEPENDS})
  endif()
endfunction()

# mtawatch_test(NAME LABEL unit SOURCES a_test.cc … DEPENDS library …): one Boost.Test program, run by ctest.
function(mtawatch_test name)
  if(NOT MTAWATCH_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${arg_SOURCES} ${CMAKE_SOURCE_DIR}/tests/support/boost_main.cc)
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS} mtawatch_flags Boost::unit_test_framework)
  target_compile_definitions(${name} PRIVATE BOOST_TEST_DYN_LINK)
  # Only a source that reads fixtures learns the folder's path, so that the compiler cache serves every clone.
  foreach(source ${arg_SOURCES})
    get_filename_component(path ${source} ABSOLUTE)
    file(STRINGS ${path} uses REGEX MTAWATCH_SOURCE_DIR LIMIT_COUNT 1)
    if(uses)
      set_source_files_properties(${source} PROPERTIES COMPILE_DEFINITIONS MTAWATCH_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    endif()
  endforeach()
  add_test(NAME ${name} COMMAND ${name})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  math(EXPR timeout "${arg_TIMEOUT} * ${MTAWATCH_PATIENCE}")
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABEL}" TIMEOUT ${timeout})
endfunction()

# mtawatch_fuzz(NAME DEPENDS library …): tests/fuzz/<name>_fuzz.cc with its corpus in tests/fuzz/corpus/<name>.tar.gz.
# Without MTAWATCH_FUZZ a plain main replays the stored corpus in ctest, so a target cannot rot. libFuzzer takes files:
# with it, a test of its own unpacks them first.
function(mtawatch_fuzz name)
  if(NOT MTAWATCH_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "DEPENDS" ${ARGN})
  set(target fuzz_${name})
  if(MTAWATCH_FUZZ)
    add_executable(${target} ${CMAKE_SOURCE_DIR}/tests/fuzz/${name}_fuzz.cc)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    set(seeds ${CMAKE_CURRENT_BINARY_DIR}/seeds/${name})
    add_test(NAME ${target}_seeds
             COMMAND /usr/bin/python3 -B ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus_pack.py unpack ${name} ${seeds})
    set_tests_properties(${target}_seeds PROPERTIES LABELS fuzz-replay FIXTURES_SETUP ${target}_seeds)
    add_test(NAME ${target} COMMAND ${target} -runs=0 ${seeds})
    set_tests_properties(${target} PROPERTIES FIXTURES_REQUIRED ${target}_seeds)
  else()
    add_executable(${target} ${CMAKE_SOURCE_DIR}/tests/fuzz/${name}_fuzz.cc ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    add_test(NAME ${target} COMMAND ${target} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name}.tar.gz)
  endif()
  target_link_libraries(${target} PRIVATE ${arg_DEPENDS} mtawatch_flags)
  math(EXPR timeout "120 * ${MTAWATCH_PATIENCE}")
  set_tests_properties(${target} PROPERTIES LABELS fuzz-replay TIMEOUT ${timeout})
endfunction()
