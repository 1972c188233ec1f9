"""A run described for machines: ``ro-crate-metadata.json``.

RO-Crate 1.2 (Soiland-Reyes et al. 2022, doi:10.3233/DS-210053) with the profile Process Run Crate
(Leo et al. 2024, doi:10.1371/journal.pone.0309210): every file of the run with its sum, the data
that went in, the programs, and one action a notebook. No person is named: who ran it is for the
author to add.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers.report.manifest import as_json, file_sha256, read_json
from helpers.specification import Bilingual, StudySpec

CRATE = "ro-crate-metadata.json"
_CONTEXT = "https://w3id.org/ro/crate/1.2/context"
_CONFORMS = "https://w3id.org/ro/crate/1.2"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
_SUITE = "#suite"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_TYPES = {".ipynb": "application/x-ipynb+json", ".docx": _WORD}


def crate_text(manifest: Mapping[str, Any], spec: StudySpec, root: Path) -> str:
    """Return the JSON-LD of a run's folder.

    Parameters
    ----------
    manifest : mapping
        As in ``manifest.json``.
    spec : StudySpec
        The study: title, licence, provenance.
    root : Path
        The run's folder; the sums of its files are taken now.
    """
    files = [_file(path, root) for path in _files(root)]
    inputs = _inputs(manifest, spec)
    actions = [_action(name, entry, inputs) for name, entry in manifest["notebooks"].items()]
    graph = [
        _descriptor(),
        _root(manifest, spec, files, actions),
        _profile(),
        *_programs(manifest),
        *inputs,
        *(_instrument(name, entry) for name, entry in manifest["notebooks"].items()),
        *(value for name, entry in manifest["notebooks"].items() for value in _values(name, entry)),
        *actions,
        *files,
    ]
    return as_json({"@context": [_CONTEXT, _TERMS], "@graph": graph})


def is_whole(root: Path) -> bool:
    """Tell whether every file that a run's description lists is there, with the size it had."""
    listed = [e for e in read_json(root / CRATE).get("@graph", ()) if e.get("@type") == "File"]
    return bool(listed) and all(_size(root / e["@id"]) == e["contentSize"] for e in listed)


def _size(path: Path) -> str:
    """Return a file's size as the description holds it; empty if there is no such file."""
    return str(path.stat().st_size) if path.is_file() else ""


def _files(root: Path) -> list[Path]:
    """Return the files of a run, but for the description itself and what is hidden."""
    return sorted(
        path
        for path in root.rglob("*")
        if path.is_file() and path.name != CRATE and not path.name.startswith(".")
    )


def _file(path: Path, root: Path) -> dict[str, Any]:
    """Return the entity of one file."""
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    return {
        "@id": path.relative_to(root).as_posix(),
        "@type": "File",
        "name": path.name,
        "encodingFormat": kind or "application/octet-stream",
        "contentSize": _size(path),
        "sha256": file_sha256(path),
    }


def _descriptor() -> dict[str, Any]:
    """Return the entity that says which specification the file follows."""
    return {
        "@id": CRATE,
        "@type": "CreativeWork",
        "conformsTo": {"@id": _CONFORMS},
        "about": {"@id": "./"},
    }


def _profile() -> dict[str, Any]:
    """Return the entity of the profile that the folder follows."""
    name, version = "Process Run Crate", _PROFILE.rpartition("/")[2]
    return {"@id": _PROFILE, "@type": "CreativeWork", "name": name, "version": version}


def _root(
    manifest: Mapping[str, Any],
    spec: StudySpec,
    files: list[dict[str, Any]],
    actions: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return the entity of the folder as a whole."""
    kind = {"simulated": "SIMULATED data. ", "survey": "", "matrix": "Published matrix. "}
    return {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": {"@id": _PROFILE},
        "name": f"{manifest['title']}: run {manifest['run']}",
        "description": kind[spec.kind] + spec.provenance.en,
        "datePublished": manifest["made_at"],
        "inLanguage": "zh-CN" if manifest["language"] == "zh" else "en",
        "license": _english(spec.licence),
        "citation": _english(spec.citation),
        "hasPart": [{"@id": entity["@id"]} for entity in files],
        "mentions": [{"@id": action["@id"]} for action in actions],
    }


def _programs(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the suite and the packages behind its numbers."""
    versions = dict(manifest["versions"])
    own = versions.pop("helpers")
    packages = [
        {
            "@id": f"#package/{name}",
            "@type": "SoftwareApplication",
            "name": name,
            "softwareVersion": version,
        }
        for name, version in versions.items()
    ]
    suite = {
        "@id": _SUITE,
        "@type": "SoftwareApplication",
        "name": "service-recovery-notebooks",
        "softwareVersion": own + (f" ({manifest['commit']})" if manifest.get("commit") else ""),
        "softwareRequirements": [{"@id": package["@id"]} for package in packages],
    }
    return [suite, *packages]


def _english(text: str | Bilingual) -> str:
    """Return a text of the study file as machines get it."""
    return text if isinstance(text, str) else text.en


def _inputs(manifest: Mapping[str, Any], spec: StudySpec) -> list[dict[str, Any]]:
    """Return the files of the study; they stay where they are and are named by their sums."""
    return [
        {
            "@id": f"#input/{name}",
            "@type": "CreativeWork",
            "name": f"{manifest['study']}/{name}",
            "sha256": digest,
            "license": _english(spec.licence),
        }
        for name, digest in manifest["data"]["files"].items()
    ]


def _instrument(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the notebook as the program of its action."""
    return {
        "@id": f"#notebook/{name}",
        "@type": ["SoftwareSourceCode", "SoftwareApplication"],
        "name": f"{name}.ipynb",
        "description": entry["title"],
        "programmingLanguage": "Python",
        "isPartOf": {"@id": _SUITE},
    }


def _values(name: str, entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters of a notebook."""
    return [
        {
            "@id": f"#parameter/{name}/{key}",
            "@type": "PropertyValue",
            "name": key,
            "value": value if isinstance(value, str | int | float | bool) else str(value),
        }
        for key, value in entry.get("parameters", {}).items()
    ]


def _action(name: str, entry: Mapping[str, Any], inputs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one execution: what ran, on what, and what came of it."""
    results = [entry["page"], entry["notebook"], *entry.get("printed", {}).values()]
    results += [f["file"] for key in ("tables", "figures") for f in entry.get(key, [])]
    failed = entry["status"] == "failed"
    action = {
        "@id": f"#run/{name}",
        "@type": "CreateAction",
        "name": entry["title"],
        "instrument": {"@id": f"#notebook/{name}"},
        "object": [
            *({"@id": entity["@id"]} for entity in inputs),
            *({"@id": value["@id"]} for value in _values(name, entry)),
        ],
        "result": [{"@id": file} for file in results],
        "endTime": entry["made_at"],
        "actionStatus": {
            "@id": f"http://schema.org/{'Failed' if failed else 'Completed'}ActionStatus"
        },
    }
    if failed:
        action["error"] = f"{entry['failure']['name']}: {entry['failure']['message']}"
    return action
