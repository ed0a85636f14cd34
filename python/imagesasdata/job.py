"""One call of a verb over images, from arguments to a table: in memory, or part by part in a folder that resumes."""

from __future__ import annotations

import dataclasses
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from .decode import Limits
from .engine import Worker
from .errors import ArgumentInvalid, quoted
from .images import ImageList
from .outputs import refuse_input
from .pipeline import Batch, run_models
from .progress import Progress, Report
from .provenance import describe_run, join_provenance
from .runs import Part, Run
from .tablefiles import TABLE_SUFFIXES, write_table
from .tables import provenance_of, with_provenance
from .verb import Result, Stopped, refuse_existing
from .version import __version__

OF_FRAMES = ["video", "time"]  # columns that `sample_frames` makes, kept in long tables too
GATHER = 1024  # rows that are made into columns at once: fewer cost time, more cost memory


def join(batches: Sequence[Batch]) -> Batch:
    """Return several consecutive batches as one."""
    if len(batches) == 1:
        return batches[0]
    return Batch(
        batches[0].start,
        [name for batch in batches for name in batch.names],
        [np.concatenate(values) for values in zip(*(batch.values for batch in batches), strict=True)],
        [error for batch in batches for error in batch.errors],
    )


@dataclass(frozen=True)
class Job:
    """What a verb does with images.

    Attributes
    ----------
    verb : str
        Its name.
    images : ImageList
        The images.
    engine : Worker
        The models, open.
    schema : pyarrow.Schema
        Columns of the table; the first is ``image``, the last ``error``.
    encode : function
        From a `Batch` to the columns between these two.
    options : dict
        The verb's own options that decide the result, for the run's manifest.
    joins : bool
        Whether rows are images, so that they can be added to the caller's data frame.
    facts : dict
        What else made the table, for its provenance.
    joined : function
        From consecutive batches to one.
    """

    verb: str
    images: ImageList
    engine: Worker
    schema: pa.Schema
    encode: Callable[[Batch], pa.RecordBatch]
    options: dict[str, Any]
    joins: bool = True
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)
    joined: Callable[[Sequence[Batch]], Batch] = join

    def run(
        self,
        batch_size: int | str,
        progress: Report,
        on_error: str,
        limits: Limits,
        out: str | os.PathLike[str] | None = None,
        retry_failed: bool = False,
        overwrite: bool = False,
    ) -> Result:
        """Do it and return the table.

        Raises
        ------
        Stopped
            On an interrupt, with the rows that are done.
        """
        if self.joins:
            refuse_existing(self.images.columns, self.schema.names[1:])
        text = f"{', '.join(model.name for model in self.engine.models)} on {self.engine.device}"
        do = _Doing(self, batch_size, on_error, limits)
        try:
            if out is None:
                if retry_failed or overwrite:
                    raise ArgumentInvalid(
                        "`retry_failed` and `overwrite` are about a run with `out`, which is missing."
                    )
                with Progress(progress, len(self.images), text) as bar:
                    return do.in_memory(bar)
            return self._run_with_parts(do, Path(out).expanduser(), progress, text, retry_failed, overwrite)
        finally:
            self.engine.close()

    def _run_with_parts(
        self, do: _Doing, out: Path, progress: Report, text: str, retry_failed: bool, overwrite: bool
    ) -> Result:
        as_table = out.suffix.lower() in TABLE_SUFFIXES
        refuse_input("out", out, [self.images.source])
        if not as_table and out.suffix:
            raise ArgumentInvalid(
                f'`out` is "{out}"; give a table file ({quoted(sorted(TABLE_SUFFIXES))}) or a folder without a suffix.'
            )
        folder = out.with_name(out.name + ".run") if as_table else out
        if as_table and out.exists() and not folder.exists() and not overwrite:
            raise ArgumentInvalid(
                f'There is a file "{out}" already. Give another `out`, or overwrite=True (--overwrite).'
            )
        run = Run(folder, self.images, self._settings(do.limits), overwrite)
        again = run.failed() if retry_failed else []
        missing = run.missing()
        with Progress(progress, sum(part.stop - part.start for part in missing), text) as bar:
            try:
                for part in again:
                    run.write(part, self._described(do.retry(run.read(part), part)))
                for part, table in do.parts(run.claimed(), bar):
                    run.write(part, self._described(table))
                bar.complete()
            except KeyboardInterrupt:
                rows = self._from_parts(run)
                more = f'; the same command again goes on in "{folder}"'
                raise Stopped(rows, len(self.images), more) from None
        self.engine.close()  # the table of a large run is made where its networks were
        result = self._from_parts(run)
        if as_table:
            write_table(result.to_arrow(), out)
        return result

    def _settings(self, limits: Limits) -> dict[str, Any]:
        """Return what decides the result; a run is resumed only where all of it is the same."""
        return {
            "verb": self.verb,
            "package_version": __version__,
            "models": {model.name: model.sha256 for model in self.engine.models},
            **self.options,
            **dataclasses.asdict(limits),
        }

    def _table(self, tables: Sequence[pa.Table]) -> pa.Table:
        if tables:
            return pa.concat_tables(tables)
        nothing = Batch(0, [], [np.empty((0, width), np.float32) for width in self.engine.widths], [])
        return pa.Table.from_batches([self.encode(nothing)], self.schema)

    def _from_parts(self, run: Run) -> Result:
        tables = list(run.read_all())
        return self._result(self._table(tables), [provenance_of(table) for table in tables])

    def _result(self, table: pa.Table, made: Sequence[dict[str, Any]] = ()) -> Result:
        """Return the rows with their provenance, which is that of the parts `made` where there are any."""
        return Result(
            with_provenance(self._timed(table), {**self._description(), **join_provenance(made)}),
            self.images.data if self.joins else None,
        )

    def _timed(self, table: pa.Table) -> pa.Table:
        """Return a long table with the video and the time of each row, where the images are frames of videos."""
        data = self.images.data
        if self.joins or data is None or not set(OF_FRAMES) <= set(self.images.columns):
            return table
        if not isinstance(data, pa.Table):
            data = pa.Table.from_pandas(data[OF_FRAMES], preserve_index=False)
        kept = data.select(OF_FRAMES).take(pa.array(_image_of_rows(table)))
        for place, name in enumerate(OF_FRAMES, 1):
            table = table.add_column(place, name, kept[name])
        return table

    def _described(self, table: pa.Table) -> pa.Table:
        return with_provenance(table, self._description())

    def _description(self) -> dict[str, Any]:
        return {**describe_run(self.verb, self.engine.models, self.engine.device), **self.facts}


def _image_of_rows(table: pa.Table) -> npt.NDArray[np.int64]:
    """Return the position of each row's image among those of the table."""
    new_image = np.ones(table.num_rows, bool)
    for number in {"rank", "face"}.intersection(table.column_names):
        # A long table: an image begins with number 1, or has one row without a number.
        new_image = pa.compute.fill_null(pa.compute.equal(table[number], 1), True).to_numpy()
    return np.cumsum(new_image) - 1


@dataclass(frozen=True)
class _Doing:
    """The work of a job, with the options that do not decide its result."""

    job: Job
    batch_size: int | str
    on_error: str
    limits: Limits

    def in_memory(self, bar: Progress) -> Result:
        """Do all images as one part, which is kept in memory."""
        done: list[pa.Table] = []
        if not len(self.job.images):
            return self.job._result(self.job._table(done))
        try:
            _, table = next(self.parts([Part(0, 0, len(self.job.images))], bar, done))
            self.job.engine.close()
            return self.job._result(table)
        except KeyboardInterrupt:
            table = self.job._table(done)
            raise Stopped(self.job._result(table), len(self.job.images), "") from None

    def parts(
        self, parts: Iterable[Part], bar: Progress, done: list[pa.Table] | None = None
    ) -> Iterator[tuple[Part, pa.Table]]:
        """Yield each part with its table; `done` collects the tables of the part that is being made."""
        tables = done if done is not None else []
        waiting: list[Batch] = []
        begun: deque[Part] = deque()

        def ranges() -> Iterator[tuple[int, int]]:
            for part in parts:
                begun.append(part)
                yield part.start, part.stop

        images, engine = self.job.images, self.job.engine
        batches = run_models(images, engine, ranges(), self.batch_size, self.on_error, self.limits)
        try:
            for batch in batches:
                waiting.append(batch)
                bar.advance(len(batch.names))  # may raise, the batch being kept already
                end = batch.start + len(batch.names)
                if sum(len(b.names) for b in waiting) >= GATHER or end == begun[0].stop:
                    tables.append(self._encoded(waiting))
                    waiting.clear()
                if end == begun[0].stop:
                    yield begun.popleft(), pa.concat_tables(tables)
                    tables.clear()
        except BaseException:
            if waiting:
                tables.append(self._encoded(waiting))
            raise
        finally:
            batches.close()

    def retry(self, table: pa.Table, part: Part) -> pa.Table:
        """Return the table of a part with its failed images tried again, everything else as it was."""
        image = part.start + _image_of_rows(table)
        failed = np.flatnonzero(pa.compute.is_valid(table["error"]).to_numpy())
        images = self.job.images
        rows = image[failed].tolist()
        again = ImageList([images.names[i] for i in rows], [images.paths[i] for i in rows])
        batches = list(run_models(again, self.job.engine, [(0, len(rows))], 1, self.on_error, self.limits))
        pieces, start = [], 0
        for row, batch in zip(failed.tolist(), batches, strict=True):  # a failed image has one row
            pieces += [table.slice(start, row - start), self._encoded([batch])]
            start = row + 1
        return pa.concat_tables([*pieces, table.slice(start)])

    def _encoded(self, batches: Sequence[Batch]) -> pa.Table:
        return pa.Table.from_batches([self.job.encode(self.job.joined(batches))], self.job.schema)
