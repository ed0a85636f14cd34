"""Arrow tables: types, provenance in the schema's metadata, pandas at the edge, the stream to R.

Column names and the format of the provenance are documented in ``docs/tables.md``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

PROVENANCE = b"imagesasdata"
_NULLABLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


def factor_type(classes: Sequence[str]) -> pa.DataType:
    """Return the Arrow type of a factor over `classes`: a dictionary with the smallest common index."""
    return pa.dictionary(pa.int16() if len(classes) < 2**15 else pa.int32(), pa.string())


def with_provenance(table: pa.Table, provenance: dict[str, Any]) -> pa.Table:
    """Return the table with `provenance` as JSON in its schema metadata."""
    metadata = dict(table.schema.metadata or {})
    metadata[PROVENANCE] = json.dumps(provenance, ensure_ascii=False).encode()
    return table.replace_schema_metadata(metadata)


def provenance_of(table: pa.Table) -> dict[str, Any]:
    """Return the provenance in a table's schema metadata, empty where there is none."""
    text = (table.schema.metadata or {}).get(PROVENANCE)
    return dict(json.loads(text)) if text else {}


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Convert to pandas: factors become categoricals, and the provenance goes to ``attrs["imagesasdata"]``.

    Whole and logical numbers that may be missing keep their kind (pandas' ``Int32`` and ``boolean``) instead of
    becoming floats and objects as soon as one is missing.
    """
    kinds = {pa.int32(): pd.Int32Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame: pd.DataFrame = table.to_pandas(types_mapper=kinds.get)
    provenance = provenance_of(table)
    if provenance:
        frame.attrs["imagesasdata"] = provenance
    return frame


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Convert a caller's table to pandas; whole numbers stay whole also where one is missing, as long ids must."""
    frame: pd.DataFrame = table.to_pandas()
    for name, column in zip(table.column_names, table.columns, strict=True):
        whole = pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)
        if whole and column.null_count and table.column_names.count(name) == 1 and name in frame.columns:
            frame[name] = column.to_pandas(types_mapper=_NULLABLE.get).set_axis(frame.index)
    return frame


def export_stream(table: pa.Table, address: int) -> None:
    """Export the table as an Arrow C stream to a pointer, with at least one batch so that factors keep their levels."""
    table = table.unify_dictionaries().combine_chunks()
    batches = table.to_batches()
    if not batches:  # to_batches() drops empty ones, and with them the levels
        empty = [column.chunk(0) if column.num_chunks else pa.array([], column.type) for column in table.columns]
        batches = [pa.RecordBatch.from_arrays(empty, schema=table.schema)]
    pa.RecordBatchReader.from_batches(table.schema, batches)._export_to_c(address)


def import_stream(address: int) -> pa.Table:
    """Import an Arrow C stream from a pointer."""
    return pa.RecordBatchReader._import_from_c(address).read_all()
