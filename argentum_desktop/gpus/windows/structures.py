"""The memory layouts of Windows' interfaces, as its 64-bit headers declare them.

Fixed-size types throughout: `ctypes.wintypes` takes its sizes from the system it runs on. Text is UTF-16 everywhere.
"""

from __future__ import annotations

from ctypes import (
    Structure,
    Union,
    c_double,
    c_int32,
    c_int64,
    c_size_t,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)


class Guid(Structure):
    """guiddef.h: GUID."""

    _fields_ = (("data1", c_uint32), ("data2", c_uint16), ("data3", c_uint16), ("data4", c_uint8 * 8))

    @classmethod
    def parse(cls, text: str) -> Guid:
        """From 770aae78-f26f-4dba-a829-253c83d1b387."""
        first, second, third, fourth, fifth = text.split("-")
        return cls(int(first, 16), int(second, 16), int(third, 16), (c_uint8 * 8)(*bytes.fromhex(fourth + fifth)))

    def __str__(self) -> str:
        tail = bytes(self.data4).hex()
        return f"{self.data1:08x}-{self.data2:04x}-{self.data3:04x}-{tail[:4]}-{tail[4:]}"


class Luid(Structure):
    """winnt.h: LUID. Names an adapter until the next start of Windows or of its driver."""

    _fields_ = (("low", c_uint32), ("high", c_int32))

    @classmethod
    def of(cls, number: int) -> Luid:
        return cls(number & 0xFFFF_FFFF, c_int32(number >> 32).value)

    @property
    def number(self) -> int:
        return int((self.high & 0xFFFF_FFFF) << 32 | self.low)


class AdapterDescription(Structure):
    """dxgi.h: DXGI_ADAPTER_DESC1."""

    _fields_ = (
        ("description", c_uint16 * 128),
        ("vendor_id", c_uint32),
        ("device_id", c_uint32),
        ("subsystem_id", c_uint32),
        ("revision", c_uint32),
        ("dedicated_video_memory", c_size_t),
        ("dedicated_system_memory", c_size_t),
        ("shared_system_memory", c_size_t),
        ("luid", Luid),
        ("flags", c_uint32),
    )


class OpenAdapter(Structure):
    """d3dkmthk.h: D3DKMT_OPENADAPTERFROMLUID."""

    _fields_ = (("luid", Luid), ("handle", c_uint32))


class CloseAdapter(Structure):
    """d3dkmthk.h: D3DKMT_CLOSEADAPTER."""

    _fields_ = (("handle", c_uint32),)


class QueryAdapter(Structure):
    """d3dkmthk.h: D3DKMT_QUERYADAPTERINFO."""

    _fields_ = (("handle", c_uint32), ("kind", c_uint32), ("data", c_void_p), ("size", c_uint32))


class AdapterAddress(Structure):
    """d3dkmthk.h: D3DKMT_ADAPTERADDRESS."""

    _fields_ = (("bus", c_uint32), ("device", c_uint32), ("function", c_uint32))


class AdapterType(Structure):
    """d3dkmthk.h: D3DKMT_ADAPTERTYPE."""

    _fields_ = (("value", c_uint32),)


class NodePerformance(Structure):
    """d3dkmthk.h: D3DKMT_NODE_PERFDATA. Frequencies in hertz, voltages in millivolts."""

    _fields_ = (
        ("node", c_uint32),
        ("physical_adapter", c_uint32),
        ("frequency", c_uint64),
        ("frequency_max", c_uint64),
        ("frequency_max_overclocked", c_uint64),
        ("voltage", c_uint32),
        ("voltage_max", c_uint32),
        ("voltage_max_overclocked", c_uint32),
        ("transition_latency_max", c_uint64),
    )


class AdapterPerformance(Structure):
    """d3dkmthk.h: D3DKMT_ADAPTER_PERFDATA. Temperature in tenths of a degree, power in tenths of a percent."""

    _fields_ = (
        ("physical_adapter", c_uint32),
        ("memory_frequency", c_uint64),
        ("memory_frequency_max", c_uint64),
        ("memory_frequency_max_overclocked", c_uint64),
        ("memory_bandwidth", c_uint64),
        ("pcie_bandwidth", c_uint64),
        ("fan_rpm", c_uint32),
        ("power", c_uint32),
        ("temperature", c_uint32),
        ("power_state_override", c_uint8),
    )


class AdapterLimits(Structure):
    """d3dkmthk.h: D3DKMT_ADAPTER_PERFDATACAPS. Temperatures in tenths of a degree."""

    _fields_ = (
        ("physical_adapter", c_uint32),
        ("memory_bandwidth_max", c_uint64),
        ("pcie_bandwidth_max", c_uint64),
        ("fan_rpm_max", c_uint32),
        ("temperature_max", c_uint32),
        ("temperature_warning", c_uint32),
    )


class CounterNumber(Union):
    """pdh.h: the union in PDH_FMT_COUNTERVALUE."""

    _fields_ = (("double", c_double), ("large", c_int64))


class CounterItem(Structure):
    """pdh.h: PDH_FMT_COUNTERVALUE_ITEM_W, with the PDH_FMT_COUNTERVALUE in it."""

    _anonymous_ = ("value",)
    _fields_ = (("name", c_void_p), ("status", c_uint32), ("value", CounterNumber))


class DeviceInfo(Structure):
    """setupapi.h: SP_DEVINFO_DATA."""

    _fields_ = (("size", c_uint32), ("class_guid", Guid), ("instance", c_uint32), ("reserved", c_size_t))


class PropertyKey(Structure):
    """devpropdef.h: DEVPROPKEY."""

    _fields_ = (("category", Guid), ("number", c_uint32))
