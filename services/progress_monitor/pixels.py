"""What is kept of every picture: the site in it and what each pixel has become, in the blob store."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bankai.blobs import Blobs
from bankai.errors import NotFoundError
from services.progress_monitor.imagery.cutting import Chip

_SCALE = 20_000
"""Reflectance is kept in steps of 1/20,000."""
_KINDS = ("chip", "detail", "findings", "detail_findings")


@dataclass(frozen=True, slots=True)
class Findings:
    """What a comparison found, as it is kept.

    Attributes:
        reflectance: Aligned and normalised; [6, rows, columns], zero where there is none.
        surfaces: The most probable `Surface` of each pixel; uint8 [rows, columns].
        usable: Pixels that show the ground.
    """

    reflectance: NDArray[np.float32]
    surfaces: NDArray[np.uint8]
    usable: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DetailFindings:
    """What a comparison on the finer grid found, as it is kept.

    Attributes:
        surfaces: The `Surface` of each pixel, of which only buildings are told; uint8 [rows, columns].
        usable: Pixels that show the ground.
    """

    surfaces: NDArray[np.uint8]
    usable: NDArray[np.bool_]


class PixelStore:
    """Keeps pixels.

    Args:
        blobs: Where.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def put_chip(self, project_id: str, observation_id: str, chip: Chip) -> None:
        """Keeps the site as it was cut out of a picture."""
        data = _packed(reflectance=_numbers(chip.reflectance), bands=np.array(chip.bands))
        await self._blobs.put(_key(project_id, observation_id, "chip"), data)
        if chip.detail is not None:
            packed = await asyncio.to_thread(_packed, pixels=chip.detail)
            await self._blobs.put(_key(project_id, observation_id, "detail"), packed)

    async def chip(self, project_id: str, observation_id: str) -> Chip:
        """The site as it was cut out of a picture, without its detail.

        Raises:
            NotFoundError: PIXELS_NOT_KEPT.
        """
        stored = await self._get(_key(project_id, observation_id, "chip"))
        reflectance = _light(stored["reflectance"])
        covered = float((reflectance > 0).any(0).mean())
        return Chip(reflectance, tuple(bool(there) for there in stored["bands"]), covered)

    async def detail(self, project_id: str, observation_id: str) -> NDArray[np.uint8] | None:
        """The detail of a chip; None where it has none."""
        data = await self._blobs.get(_key(project_id, observation_id, "detail"))
        return None if data is None else (await asyncio.to_thread(_unpacked, data))["pixels"]

    async def put_findings(self, project_id: str, observation_id: str, findings: Findings) -> None:
        """Keeps what a comparison found."""
        data = _packed(reflectance=_numbers(findings.reflectance), surfaces=findings.surfaces, usable=findings.usable)
        await self._blobs.put(_key(project_id, observation_id, "findings"), data)

    async def findings(self, project_id: str, observation_id: str) -> Findings:
        """What a comparison found.

        Raises:
            NotFoundError: PIXELS_NOT_KEPT.
        """
        stored = await self._get(_key(project_id, observation_id, "findings"))
        return Findings(_light(stored["reflectance"]), stored["surfaces"], stored["usable"])

    async def put_detail_findings(self, project_id: str, observation_id: str, findings: DetailFindings | None) -> None:
        """Keeps what a comparison on the finer grid found; None erases what an earlier one found."""
        key = _key(project_id, observation_id, "detail_findings")
        if findings is None:
            await self._blobs.delete(key)
            return
        data = await asyncio.to_thread(_packed, surfaces=findings.surfaces, usable=findings.usable)
        await self._blobs.put(key, data)

    async def detail_findings(self, project_id: str, observation_id: str) -> DetailFindings | None:
        """What a comparison on the finer grid found; None where there was none."""
        data = await self._blobs.get(_key(project_id, observation_id, "detail_findings"))
        if data is None:
            return None
        stored = await asyncio.to_thread(_unpacked, data)
        return DetailFindings(stored["surfaces"], stored["usable"])

    async def delete(self, project_id: str, observation_id: str) -> None:
        """Erases what is kept of a picture."""
        for key in keys(project_id, observation_id).values():
            await self._blobs.delete(key)

    async def delete_project(self, project_id: str) -> int:
        """Erases what is kept of all pictures of a project; returns how many files that were."""
        keys = [key async for key, _ in self._blobs.entries(project_id)]
        for key in keys:
            await self._blobs.delete(key)
        return len(keys)

    async def kept(self) -> AsyncIterator[tuple[str, str, datetime]]:
        """Of every file: the ids of the project and the observation that it belongs to, and when it was put."""
        async for key, put in self._blobs.entries():
            project_id, observation_id, _ = key.split("/")
            yield project_id, observation_id, put

    async def _get(self, key: str) -> dict[str, NDArray[Any]]:
        data = await self._blobs.get(key)
        if data is None:
            raise NotFoundError("PIXELS_NOT_KEPT", "the picture's pixels are not kept any more: send it again")
        return _unpacked(data)


def _light(numbers: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(numbers / np.float32(_SCALE), np.float32)


def _numbers(reflectance: NDArray[np.float32]) -> NDArray[np.uint16]:
    return np.clip(np.round(reflectance * _SCALE), 0, 65_535).astype(np.uint16)


def _packed(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def _unpacked(data: bytes) -> dict[str, NDArray[Any]]:
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return dict(stored)


def keys(project_id: str, observation_id: str) -> dict[str, str]:
    """Keys of all that may be kept of a picture, by their kind; of a picture that was taken in, the "chip" is."""
    return {kind: _key(project_id, observation_id, kind) for kind in _KINDS}


def _key(project_id: str, observation_id: str, kind: str) -> str:
    return f"{project_id}/{observation_id}/{kind}.npz"
