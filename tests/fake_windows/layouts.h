/* What Windows' headers declare, as far as the stand-in needs it: written down from Microsoft's documentation of dxgi.h,
 * dxcore_interface.h, d3dkmthk.h, pdh.h, setupapi.h and devpropdef.h, with the names given there. Fixed-size types, for
 * `long` and `wchar_t` have other sizes outside Windows. */
#pragma once

#include <stdint.h>

typedef struct {
    uint32_t Data1;
    uint16_t Data2, Data3;
    uint8_t Data4[8];
} GUID;

typedef struct {
    uint32_t LowPart;
    int32_t HighPart;
} LUID;

typedef struct {
    uint16_t Description[128];
    uint32_t VendorId, DeviceId, SubSysId, Revision;
    uint64_t DedicatedVideoMemory, DedicatedSystemMemory, SharedSystemMemory;
    LUID AdapterLuid;
    uint32_t Flags;
} DXGI_ADAPTER_DESC1;

typedef struct {
    LUID AdapterLuid;
    uint32_t hAdapter;
} D3DKMT_OPENADAPTERFROMLUID;

typedef struct {
    uint32_t hAdapter;
} D3DKMT_CLOSEADAPTER;

typedef struct {
    uint32_t hAdapter;
    uint32_t Type;
    void *pPrivateDriverData;
    uint32_t PrivateDriverDataSize;
} D3DKMT_QUERYADAPTERINFO;

typedef struct {
    uint32_t BusNumber, DeviceNumber, FunctionNumber;
} D3DKMT_ADAPTERADDRESS;

typedef struct {
    uint32_t Value;
} D3DKMT_ADAPTERTYPE;

typedef struct {
    uint32_t NodeOrdinal, PhysicalAdapterIndex;
    uint64_t Frequency, MaxFrequency, MaxFrequencyOC;
    uint32_t Voltage, VoltageMax, VoltageMaxOC;
    uint64_t MaxTransitionLatency;
} D3DKMT_NODE_PERFDATA;

typedef struct {
    uint32_t PhysicalAdapterIndex;
    uint64_t MemoryFrequency, MaxMemoryFrequency, MaxMemoryFrequencyOC, MemoryBandwidth, PCIEBandwidth;
    uint32_t FanRPM, Power, Temperature;
    uint8_t PowerStateOverride;
} D3DKMT_ADAPTER_PERFDATA;

typedef struct {
    uint32_t PhysicalAdapterIndex;
    uint64_t MaxMemoryBandwidth, MaxPCIEBandwidth;
    uint32_t MaxFanRPM, TemperatureMax, TemperatureWarning;
} D3DKMT_ADAPTER_PERFDATACAPS;

typedef struct {
    uint32_t CStatus;
    union {
        int32_t longValue;
        double doubleValue;
        int64_t largeValue;
    };
} PDH_FMT_COUNTERVALUE;

typedef struct {
    uint16_t *szName;
    PDH_FMT_COUNTERVALUE FmtValue;
} PDH_FMT_COUNTERVALUE_ITEM_W;

typedef struct {
    uint32_t cbSize;
    GUID ClassGuid;
    uint32_t DevInst;
    uint64_t Reserved;
} SP_DEVINFO_DATA;

typedef struct {
    GUID fmtid;
    uint32_t pid;
} DEVPROPKEY;
