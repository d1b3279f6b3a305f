"""Who may include whom, and where an outside library may be seen.

server -> engine -> {workflows, storage -> proto, crypto}; gateway -> {engine, workflows, storage, proto, crypto, smpp};
kafka, the records on its topics and the client of its brokers, is for the doors: server, gateway and tools; metrics, what
Prometheus reads, logging, what they say, and toml, what they read, for the two that run for long;
tools -> anything but server; server/main*.cc joins server and gateway; everyone may include ids; a workflow's codec may
include proto, its machine may not; smpp is nobody's but the gateway's and the tools'; nobody includes server, tools or tests.
"""

import re

from tree import Finding

ALLOWED = {
    "ids": set(),
    "crypto": {"ids"},
    "workflows": {"ids"},
    "smpp": {"ids"},
    "storage": {"ids", "proto", "crypto"},
    "engine": {"ids", "workflows", "storage", "proto", "crypto"},
    "kafka": {"ids", "workflows", "crypto"},
    "logging": {"ids"},
    "toml": set(),
    "metrics": {"engine"},
    "gateway": {"ids", "engine", "workflows", "storage", "proto", "crypto", "smpp", "kafka", "logging", "toml", "metrics"},
    "server": {"ids", "engine", "workflows", "storage", "proto", "crypto", "kafka", "logging", "toml", "metrics"},
    "tools": {"ids", "engine", "workflows", "storage", "proto", "crypto", "smpp", "gateway", "kafka"},
    "tests": {"ids", "engine", "workflows", "storage", "proto", "crypto", "smpp", "gateway", "server", "tools", "kafka", "logging", "toml", "metrics"},
}

# (pattern of an included name, folders that may see it, why). The benchmark measures the bare loop of RocksDB.
LIBRARIES = (
    (r"rocksdb/", {"storage", "tests", "tools/bench"}, "RocksDB is seen in storage/ alone; ask its typed tables"),
    (r"openssl/", {"crypto", "tests"}, "OpenSSL is seen in crypto/ alone; ask its functions"),
    (r"(grpc|grpcpp|grpc\+\+)/", {"server", "gateway", "tools", "tests"}, "gRPC belongs to the doors"),
    (r".*\.grpc\.pb\.h$", {"server", "gateway", "tools", "tests"}, "gRPC services belong to the doors"),
    (r"librdkafka/", {"kafka", "tests/kafka"}, "librdkafka is seen in kafka/ alone; ask its client"),
    (r"libpq", {"tools/flowable"}, "PostgreSQL is only ever read, by the import from the old database"),
    (r"boost/json", {"kafka", "server", "tools", "tests"}, "JSON belongs to the doors"),
    (r"boost/msm/", {"workflows"}, "a state machine is a workflow"),
    (r"(CLI/|toml\+\+/|toml\.hpp)", {"server", "gateway", "tools", "tests"},
     "flags and configuration belong to the programs"),
    (r"prometheus/", {"metrics"}, "prometheus-cpp is seen in metrics/ alone; count in plain numbers"),
    (r"boost/(asio|beast)", {"server", "gateway", "tools", "tests"}, "sockets belong to the doors"),
    (r"iostream$", {"server", "gateway", "tools", "tests"}, "a library does not print"),
)

IMPURE = re.compile(
    r"^(ctime|time\.h|sys/.*|unistd\.h|random|iostream|fstream|filesystem|thread|mutex|shared_mutex|"
    r"condition_variable|future|semaphore|latch|barrier|stop_token|atomic|date/tz\.h|date/.*|spdlog/.*|"
    r"absl/(time/clock|random|synchronization|log)/?.*|google/protobuf/.*)$")
# Calendar sums are pure, and date/date.h does them; date/tz.h reads files.
PURE_ANYWAY = {"date/date.h"}
# The doors' resolver of local times: it stands beside the grammar that it serves, and no machine includes it.
ZONE_SEAM = "workflows/delivery/zones.cc"
ZONE_READS = {"date/tz.h", "fstream"}

# The one header that shows MSM; only a machine's .cc includes it.
MSM_DRIVER = "workflows/msm_driver.h"


def is_codec(path):
    """A codec is a target of its own: a folder codec/, or files named codec*, *_codec*."""
    return any(re.match(r"^(.*_)?codec(_.*)?$", part.split(".")[0]) for part in path.split("/")[1:])


def layer_of(include):
    if re.match(r"^(proto/)?smsflow/", include):
        return "proto"
    return include.split("/")[0]


def check_layering(sources):
    by_path = {source.path: source for source in sources}
    for source in sources:
        if not source.is_cpp or source.folder not in ALLOWED:
            continue
        for line, name, quoted in source.includes():
            yield from check_include(source, line, name, quoted, by_path)
            if source.folder == "workflows" and not is_codec(source.path) and layer_of(name) != "proto":
                road = road_to_proto(name, by_path, set())
                if road:
                    yield Finding(source.path, line, "purity", f"proto comes in through {' -> '.join(road)}; "
                                  "a codec's header speaks of plain structs alone")


def road_to_proto(name, by_path, seen):
    """The files through which `name` includes a generated header, or nothing."""
    if name in seen or name not in by_path:
        return []
    seen.add(name)
    for _, inner, _ in by_path[name].includes():
        if layer_of(inner) == "proto":
            return [name]
        road = road_to_proto(inner, by_path, seen)
        if road:
            return [name] + road
    return []


def check_include(source, line, name, quoted, paths):
    def finding(rule, why):
        return Finding(source.path, line, rule, why)

    folder = source.folder
    layer = layer_of(name)
    ours = quoted and (layer == "proto" or layer in ALLOWED)
    if quoted and not ours and ("/" not in name or name.startswith(".")):
        yield finding("include-path", f'"{name}": our own files are named from the root')
    elif ours:
        generated = re.sub(r"(\.grpc)?\.pb\.h$", ".proto", "proto/" + name.removeprefix("proto/"))
        if layer == "proto" and generated not in paths or layer != "proto" and name not in paths:
            yield finding("include-path", f'"{name}" does not exist')
        if layer != folder and not may_include(source.path, folder, layer):
            allowed = ", ".join(sorted(ALLOWED[folder])) or "nothing of ours"
            yield finding("layering", f"{folder}/ may not include {layer}/ (it may include {allowed})")
    for pattern, folders, why in LIBRARIES:
        seen_here = any(source.path.startswith(home + "/") for home in folders)
        if not seen_here and re.match(pattern, name):
            yield finding("library", f"<{name}>: {why}")
    if folder == "workflows":
        yield from check_purity(source, line, name)
    if folder == "smpp" and IMPURE.match(name):
        yield finding("purity", f"<{name}>: smpp/ turns values into bytes and events into actions; time comes in with them")


def may_include(path, folder, layer):
    if folder == "workflows" and layer == "proto":
        return is_codec(path)
    if layer == "gateway" and re.match(r"^server/main\w*\.cc$", path):
        return True
    return layer in ALLOWED[folder]


def check_purity(source, line, name):
    if is_codec(source.path):
        if not name.startswith("google/protobuf/") and IMPURE.match(name) and name not in PURE_ANYWAY:
            yield Finding(source.path, line, "purity", f"<{name}>: a codec turns values into bytes and does nothing else")
        return
    if name not in PURE_ANYWAY and IMPURE.match(name) and not (source.path == ZONE_SEAM and name in ZONE_READS):
        yield Finding(source.path, line, "purity",
                      f"<{name}>: a workflow is a pure decision; time and chance come in with the event")
    if source.path.endswith(".h") and source.path != MSM_DRIVER and (name.startswith("boost/msm/") or name == MSM_DRIVER):
        yield Finding(source.path, line, "purity", f"<{name}>: MSM stays in one .cc per workflow; it costs every reader seconds")
