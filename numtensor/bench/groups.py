"""The groups, in the order of the report."""

from . import (
    rows_backward,
    rows_dispatch,
    rows_memory,
    rows_network,
    rows_size,
    rows_start,
    rows_threads,
    rows_throughput,
)

GROUPS = {
    module.GROUP.name: module.GROUP
    for module in (
        rows_dispatch,
        rows_throughput,
        rows_backward,
        rows_network,
        rows_start,
        rows_size,
        rows_memory,
        rows_threads,
    )
}
