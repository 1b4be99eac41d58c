"""The description of an export that machines read: Croissant 1.1, of MLCommons."""

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from adc_core.arrays import hash_file
from adc_core.storage import write_json
from adc_plugins_publish.formats.samples_table import SAMPLES

_WEB = re.compile(r"https?://[^\s\"<>]+")
CROISSANT = "croissant.json"

_TERMS = (
    "citeAs column conformsTo:dct dataType:@vocab data:@json equivalentProperty examples:@json "
    "extract field fileObject fileProperty fileSet format includes isLiveDataset jsonPath key md5 "
    "parentField path recordSet references regex repeated replace samplingRate separator source "
    "subField transform"
)
_TYPES = (
    (pa.types.is_boolean, "sc:Boolean"),
    (pa.types.is_integer, "sc:Integer"),
    (pa.types.is_floating, "sc:Float"),
    (pa.types.is_timestamp, "sc:DateTime"),
)


def write_croissant(folder: Path, name: str, *, collected: bool) -> None:
    """Describe what is in a folder: its files, and the columns of `samples.parquet`.

    Akhtar et al., "Croissant: a metadata format for ML-ready datasets" (2024).

    Args:
        folder: a finished export; `croissant.json` is written there.
        name: of the dataset.
        collected: whether its images were found by searching.
    """
    schema = pq.read_schema(folder / SAMPLES)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    alone = [path for path in paths if path.parent == folder and path.suffix != ".tar"]
    patterns = dict.fromkeys(
        _pattern(path.relative_to(folder)) for path in paths if path not in alone
    )
    described = {
        "@context": _context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": name,
        "description": f"Images with noisy labels, {'collected' if collected else 'exported'} and "
        "described by ADC; see README.md.",
        "url": "https://pypi.org/project/adc-core/",
        "version": "1.0.0",
        "license": _licenses(folder / SAMPLES, schema),
        "distribution": [
            *(
                {
                    "@type": "cr:FileObject",
                    "@id": path.name,
                    "name": path.name,
                    "contentUrl": path.name,
                    "encodingFormat": _kind(path),
                    "sha256": hash_file(path),
                }
                for path in alone
            ),
            *(
                {
                    "@type": "cr:FileSet",
                    "@id": pattern,
                    "name": pattern,
                    "includes": pattern,
                    "encodingFormat": _kind(Path(pattern)),
                }
                for pattern in patterns
            ),
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "samples",
                "name": "samples",
                "description": "One record for each image.",
                "key": {"@id": "samples/id"},
                "field": [_field(field) for field in schema],
            }
        ],
    }
    write_json(folder / CROISSANT, described)


def _field(field: pa.Field) -> dict[str, Any]:
    kind = next((name for is_it, name in _TYPES if is_it(field.type)), "sc:Text")
    return {
        "@type": "cr:Field",
        "@id": f"samples/{field.name}",
        "name": field.name,
        "dataType": kind,
        "source": {"fileObject": {"@id": SAMPLES}, "extract": {"column": field.name}},
    }


def _licenses(table: Path, schema: pa.Schema) -> list[str] | str:
    if "license_url" not in schema.names:
        return "unknown"
    found = pq.read_table(table, columns=["license_url"])["license_url"].unique().to_pylist()
    return sorted(url for url in found if url and _WEB.fullmatch(url)) or "unknown"


_KINDS = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".tar": "application/x-tar",
    ".parquet": "application/x-parquet",
    ".csv": "text/csv",
    ".txt": "text/plain",
    ".md": "text/markdown",
}


def _kind(path: Path) -> str:
    return _KINDS.get(path.suffix.lower(), "application/octet-stream")


def _pattern(path: Path) -> str:
    """Return what matches a file and its like."""
    return "/".join([*("*" for _ in path.parts[:-1]), f"*{path.suffix}"])


def _context() -> dict[str, Any]:
    context: dict[str, Any] = {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "dct": "http://purl.org/dc/terms/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "sc": "https://schema.org/",
    }
    for term in _TERMS.split():
        word, _, special = term.partition(":")
        if special == "dct":
            context[word] = f"dct:{word}"
        else:
            context[word] = {"@id": f"cr:{word}", "@type": special} if special else f"cr:{word}"
    return context
