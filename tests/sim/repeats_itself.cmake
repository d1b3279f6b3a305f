# Two processes, the same seeds: all that was decided is the same, and so are the figures; of the engine every journal too, byte
# for byte.
foreach(run one two)
  execute_process(COMMAND ${SIM} --first 1 --seeds 30 OUTPUT_VARIABLE ${run} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${${run}}")
  endif()
  string(REGEX REPLACE "; ([0-9.]+ s, )?[0-9.]+ s of CPU\n" "\n" ${run} "${${run}}")
endforeach()
if(NOT one STREQUAL two OR NOT one MATCHES "digest [a-z ]*[0-9a-f]+\n")
  message(FATAL_ERROR "two runs differ:\n${one}\n${two}")
endif()
