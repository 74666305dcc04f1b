"""NVML's numbered fields: many values of a card in one call."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

from argentum_desktop.gpus.nvidia.codes import FUNCTION_NOT_FOUND, NOT_SUPPORTED

# The member of the union that holds a value, by NVML's type number (nvmlValueType_t).
_MEMBERS = ("dVal", "uiVal", "ulVal", "ullVal", "sllVal", "siVal", "usVal")


class FieldError:
    """A field that has no value, with NVML's code."""

    __slots__ = ("code",)

    def __init__(self, code: int) -> None:
        self.code = code


class FieldBatch:
    """Asks for the same fields again and again; what it fills is made once.

    Args:
        nvml: the started module.
        ids: of the fields, as NVML numbers them.
    """

    def __init__(self, nvml: Any, ids: Sequence[int]) -> None:
        self._ask = getattr(nvml.nvmlLib, "nvmlDeviceGetFieldValues", None)
        self._array = (nvml.c_nvmlFieldValue_t * len(ids))()
        self._fields = dict(zip(ids, self._array, strict=True))
        for field_id, field in self._fields.items():
            field.fieldId = field_id

    def ask(self, handle: Any) -> Mapping[int, int | float | FieldError]:
        """What the card says, by field."""
        if self._ask is None:
            return dict.fromkeys(self._fields, FieldError(FUNCTION_NOT_FOUND))
        for field in self._fields.values():
            field.nvmlReturn = NOT_SUPPORTED  # stays so where the driver leaves a field alone
        code = self._ask(handle, len(self._array), ctypes.byref(self._array))
        if code:
            return dict.fromkeys(self._fields, FieldError(code))
        return {field_id: _value(field) for field_id, field in self._fields.items()}


def _value(field: Any) -> int | float | FieldError:
    if field.nvmlReturn:
        return FieldError(field.nvmlReturn)
    kind = field.valueType
    if not 0 <= kind < len(_MEMBERS):
        return FieldError(NOT_SUPPORTED)
    value: int | float = getattr(field.value, _MEMBERS[kind])
    return value
