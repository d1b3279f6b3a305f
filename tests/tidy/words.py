"""What no line may say: calls that break a promise of the house, unfinished work, tests that cannot fail, paths of a machine."""

import re

from tree import CODE_FOLDERS, Finding

# The seams: the only files where real time and real chance come in.
CLOCK_SEAMS = re.compile(r"^engine/seams\.(cc|h)$")
EVERYWHERE = re.compile(r"")
OUTSIDE_SEAM = re.compile(r"^(?!tests/|tools/|server/main)")
# The queue of calls asks how long its thread has worked: no wall time.
OUTSIDE_CPU_CLOCKS = re.compile(r"^(?!tests/|tools/|server/main|server/grpc/call_queue\.cc$)")
LIBRARIES = re.compile(r"^(ids|crypto|workflows|smpp|storage|engine)/")
TESTS = re.compile(r"^tests/")
UNIT_TESTS = re.compile(r"^tests/(?!crash/|sim/)")
WORKFLOWS = re.compile(r"^(workflows|smpp)/")
HOUSE = re.compile(r"^(?!tests/)")

# (pattern in code, files it binds, why). Comments and strings do not count.
CALLS = (
    (r"\bsystem_clock\b|\bgettimeofday\b|\btime\s*\(\s*(nullptr|NULL|0)\s*\)", OUTSIDE_SEAM,
     "wall time comes from the Clock seam, so that a simulation repeats exactly"),
    (r"\bclock_gettime\b", OUTSIDE_CPU_CLOCKS, "wall time comes from the Clock seam, so that a simulation repeats exactly"),
    (r"\bstd::s?rand\b|(?<![\w:.>])s?rand\s*\(|\brandom_device\b|\bmt19937", HOUSE,
     "chance comes from the Random seam or from crypto/random.h"),
    (r"\b(system_clock|steady_clock|high_resolution_clock|random_device|getenv|this_thread)\b", WORKFLOWS,
     "a workflow, and SMPP, is pure: time and chance come in with the event"),
    (r"\bsleep_(for|until)\b|(?<![\w:.>])u?sleep\s*\(|\bnanosleep\b", UNIT_TESTS,
     "a test waits for what it expects, not for time; use the virtual clock"),
    (r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)\s*\(", EVERYWHERE, "has no bound, or a hidden state"),
    (r"\b(localtime|gmtime|asctime|ctime|setlocale)\s*\(", EVERYWHERE, "shares state between threads"),
    (r"\bstd::c(out|err)\b|(?<!\w)(printf|puts)\s*\(", LIBRARIES, "a library does not print"),
    (r"\busing\s+namespace\s+(std|smsflow)\s*;", EVERYWHERE, "hides where a name comes from"),
    (r"\bstd::(sto(i|l|ll|ul|ull|d|f)|ato[il]+)\b|(?<![\w:.>])ato(i|l|ll|f)\s*\(", HOUSE,
     "throws or accepts rubbish; use std::from_chars"),
    (r"\bdetach\s*\(\s*\)", EVERYWHERE, "a thread that nobody joins outlives what it uses"),
    (r"\bGTEST_SKIP\b|\bDISABLED_\w|\b(EXPECT|ASSERT)_TRUE\(\s*true\s*\)|\bSUCCEED\s*\(", TESTS,
     "a test that cannot fail, or does not run, proves nothing"),
)

# (pattern in any text, why). Built from pieces where this file itself would be found.
TEXT = (
    (r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b", "finish it, or leave it out"),
    (r"(?<![\w.$~}<-])/(work|root|home|Users)/\w", "a path of one machine"),
    (r"^(<{7}|>{7}) ", "a merge that was left unfinished"),
    (r"(?i)\bissue\s*#?\s*[0-9]+\b|\(#[0-9]+\)", "say what it is about; numbers of a tracker mean nothing in the tree"),
)


def check_words(sources):
    for source in sources:
        for number, line in enumerate(source.lines, 1):
            for pattern, why in TEXT:
                match = re.search(pattern, line)
                if match:
                    yield Finding(source.path, number, "words", f"'{match.group(0)}': {why}")
        if source.is_cpp and source.folder in CODE_FOLDERS:
            yield from check_calls(source)


def check_calls(source):
    if CLOCK_SEAMS.match(source.path):
        return
    for number, line in enumerate(source.code, 1):
        for pattern, files, why in CALLS:
            match = re.search(pattern, line) if files.match(source.path) else None
            if match:
                yield Finding(source.path, number, "banned call", f"'{match.group(0).strip()}': {why}")
