"""The memory layouts of Vulkan's interface, as its 64-bit headers declare them (vulkan_core.h, Khronos)."""

from __future__ import annotations

from ctypes import Structure, c_char, c_char_p, c_int32, c_uint8, c_uint32, c_uint64, c_void_p

MOST_MEMORY_TYPES, MOST_HEAPS = 32, 16


class ApplicationInfo(Structure):
    """VkApplicationInfo."""

    TYPE = 0
    _fields_ = (
        ("type", c_int32),
        ("next", c_void_p),
        ("application_name", c_char_p),
        ("application_version", c_uint32),
        ("engine_name", c_char_p),
        ("engine_version", c_uint32),
        ("api_version", c_uint32),
    )


class InstanceCreateInfo(Structure):
    """VkInstanceCreateInfo."""

    TYPE = 1
    _fields_ = (
        ("type", c_int32),
        ("next", c_void_p),
        ("flags", c_uint32),
        ("application", c_void_p),
        ("layer_count", c_uint32),
        ("layer_names", c_void_p),
        ("extension_count", c_uint32),
        ("extension_names", c_void_p),
    )


class ExtensionProperties(Structure):
    """VkExtensionProperties."""

    _fields_ = (("name", c_char * 256), ("version", c_uint32))


class Limits(Structure):
    """VkPhysicalDeviceLimits: of no interest here, but it has its place."""

    _fields_ = (("words", c_uint64 * 63),)


class DeviceProperties(Structure):
    """VkPhysicalDeviceProperties."""

    _fields_ = (
        ("api_version", c_uint32),
        ("driver_version", c_uint32),
        ("vendor_id", c_uint32),
        ("device_id", c_uint32),
        ("device_type", c_int32),
        ("name", c_char * 256),
        ("pipeline_cache_uuid", c_uint8 * 16),
        ("limits", Limits),
        ("sparse", c_uint32 * 5),
    )


class DeviceProperties2(Structure):
    """VkPhysicalDeviceProperties2."""

    TYPE = 1_000_059_001
    _fields_ = (("type", c_int32), ("next", c_void_p), ("properties", DeviceProperties))


class IdProperties(Structure):
    """VkPhysicalDeviceIDProperties."""

    TYPE = 1_000_071_004
    _fields_ = (
        ("type", c_int32),
        ("next", c_void_p),
        ("device_uuid", c_uint8 * 16),
        ("driver_uuid", c_uint8 * 16),
        ("luid", c_uint8 * 8),
        ("node_mask", c_uint32),
        ("is_luid_valid", c_uint32),
    )


class DriverProperties(Structure):
    """VkPhysicalDeviceDriverProperties."""

    TYPE = 1_000_196_000
    _fields_ = (
        ("type", c_int32),
        ("next", c_void_p),
        ("driver_id", c_int32),
        ("name", c_char * 256),
        ("info", c_char * 256),
        ("conformance", c_uint8 * 4),
    )


class PciBusInfo(Structure):
    """VkPhysicalDevicePCIBusInfoPropertiesEXT."""

    TYPE = 1_000_212_000
    _fields_ = (
        ("type", c_int32),
        ("next", c_void_p),
        ("domain", c_uint32),
        ("bus", c_uint32),
        ("device", c_uint32),
        ("function", c_uint32),
    )


class MemoryType(Structure):
    """VkMemoryType."""

    _fields_ = (("flags", c_uint32), ("heap", c_uint32))


class Heap(Structure):
    """VkMemoryHeap."""

    _fields_ = (("size", c_uint64), ("flags", c_uint32))


class MemoryProperties(Structure):
    """VkPhysicalDeviceMemoryProperties."""

    _fields_ = (
        ("type_count", c_uint32),
        ("types", MemoryType * MOST_MEMORY_TYPES),
        ("heap_count", c_uint32),
        ("heaps", Heap * MOST_HEAPS),
    )


class MemoryProperties2(Structure):
    """VkPhysicalDeviceMemoryProperties2."""

    TYPE = 1_000_059_006
    _fields_ = (("type", c_int32), ("next", c_void_p), ("memory", MemoryProperties))


class MemoryBudget(Structure):
    """VkPhysicalDeviceMemoryBudgetPropertiesEXT."""

    TYPE = 1_000_237_000
    _fields_ = (
        ("type", c_int32),
        ("next", c_void_p),
        ("budget", c_uint64 * MOST_HEAPS),
        ("usage", c_uint64 * MOST_HEAPS),
    )
