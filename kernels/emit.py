"""What LLVM's builder has no word for: loops, and typed loads and stores at a distance of bytes."""

import contextlib


@contextlib.contextmanager
def counting(builder, count):
    """Write ``for i in range(count)`` around what the block of the context writes with `builder`."""
    header, body, end = (builder.append_basic_block(name) for name in ("for", "do", "done"))
    entry = builder.basic_block
    builder.branch(header)
    builder.position_at_end(header)
    i = builder.phi(count.type)
    i.add_incoming(count.type(0), entry)
    builder.cbranch(builder.icmp_unsigned("<", i, count), body, end)
    builder.position_at_end(body)
    yield i
    i.add_incoming(builder.add(i, count.type(1), flags=["nuw"]), builder.basic_block)
    builder.branch(header)
    builder.position_at_end(end)


def smaller(builder, a, b):
    """Write the smaller one of two unsigned integers."""
    return builder.select(builder.icmp_unsigned("<", a, b), a, b)


def all_of(builder, conditions):
    """Write whether all of these conditions hold."""
    result = conditions[0]
    for condition in conditions[1:]:
        result = builder.and_(result, condition)
    return result


def place(builder, kind, pointer, offset):
    """Write a pointer to LLVM type `kind`, `offset` bytes from a pointer to bytes."""
    return builder.bitcast(builder.gep(pointer, [offset]), kind.as_pointer())
