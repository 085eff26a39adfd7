"""What a file is called and served as; its suffix decides, and what we do not know is bytes and nothing else."""

from pathlib import PurePath

UNKNOWN = "application/octet-stream"
_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# By hand: a machine's own list may lack them, and knows types that a browser would run.
_KNOWN = {
    ".csv": ("CSV", "text/csv"),
    ".tsv": ("TSV", "text/tab-separated-values"),
    ".txt": ("TXT", "text/plain"),
    ".xlsx": ("XLSX", _SPREADSHEET),
    ".xlsm": ("XLSM", "application/vnd.ms-excel.sheet.macroEnabled.12"),
    ".xls": ("XLS", "application/vnd.ms-excel"),
    ".ods": ("ODS", "application/vnd.oasis.opendocument.spreadsheet"),
    ".zip": ("ZIP", "application/zip"),
    ".json": ("JSON", "application/json"),
    ".geojson": ("GeoJSON", "application/geo+json"),
    ".xml": ("XML", "application/xml"),
    ".rdf": ("RDF", "application/rdf+xml"),
    ".pb": ("Protobuf", "application/x-protobuf"),
    ".mrc": ("MARC", "application/marc"),
    ".parquet": ("Parquet", "application/vnd.apache.parquet"),
    ".pmtiles": ("PMTiles", "application/vnd.pmtiles"),
}


def format_and_type(filename: str) -> tuple[str, str]:
    """The name of a file's format for people, and its media type."""
    suffix = PurePath(filename).suffix.lower()
    return _KNOWN.get(suffix, (suffix[1:].upper(), UNKNOWN))
