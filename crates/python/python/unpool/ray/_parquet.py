"""Parquet files, the same bytes for the same rows."""

from __future__ import annotations

from io import BytesIO
from typing import Any

__all__ = ["check", "table_file"]


def check() -> None:
    """Raise an ImportError, before anything is computed, if pyarrow is missing."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise ImportError(f"{error}: format parquet needs pip install pyarrow") from error


def table_file(columns: list[tuple[str, Any, list[Any]]]) -> bytes:
    """A file of columns: their names, types and values."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(name, kind) for name, kind, _ in columns])
    table = pa.table([pa.array(values, kind) for _, kind, values in columns], schema=schema)
    file = BytesIO()
    # Maps hardly repeat a number: a dictionary of them would be thrown away half-way.
    parquet.write_table(table, file, compression="zstd", use_dictionary=False)
    return file.getvalue()
