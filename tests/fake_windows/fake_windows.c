/* A stand-in for the libraries by which Windows tells of its graphics cards: one file, put into place under each of
 * their names. It answers from a scenario, read anew at every opening and every collection, so that cards and instances
 * come and go when the file is rewritten. With the line "garbage" it answers everything with nonsense, with "crash" the
 * performance counters write where nobody may. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layouts.h"

#ifdef _WIN32
#define API __declspec(dllexport)
#else
#define API __attribute__((visibility("default")))
#endif

enum { MOST = 64, LONG_LINE = 1024, MOST_ROWS = 4000 };
enum { E_FAIL_ = (int)0x80004005, DXGI_ERROR_NOT_FOUND_ = (int)0x887A0002, INVALID_PARAMETER_ = (int)0xC000000D };
enum { MORE_DATA = 0x800007D2, INVALID_DATA = 0xC0000BC6, NO_COUNTER = 0xC0000BB9 };

typedef struct {
    uint64_t luid, dedicated;
    unsigned vendor, device, subsystem, flags;
    int integrated; /* -1: DXCore does not know it */
    int has_kernel, has_performance;
    unsigned bus, slot, function, type, temperature, fan, fan_max, warning, status;
    uint64_t memory_hz, node_hz;
    char name[160];
} Card;

typedef struct {
    char enumerator[8], ids[300], compatible[300], service[80], name[160], version[40];
    int is_display, bus, address;
    unsigned status, problem;
} Device;

typedef struct {
    int counter; /* 0 memory, 1 engine, 2 process */
    unsigned status;
    double value;
    char name[120];
} Row;

static struct {
    Card cards[MOST];
    Device devices[MOST];
    Row rows[MOST_ROWS];
    int card_count, device_count, row_count, is_current, garbage, crash, has_counter[3];
    unsigned collect_status;
    char id_list[400];
} now_;
static int live_objects, live_queries, live_handles, live_lists;
static const char *const COUNTERS[] = {"memory", "engine", "process"};
static const char *const PATHS[] = {
    "\\GPU Adapter Memory(*)\\Dedicated Usage",
    "\\GPU Engine(*)\\Utilization Percentage",
    "\\GPU Process Memory(*)\\Dedicated Usage",
};

/* Everything that was handed out and not given back. */
API int fake_live(void) { return live_objects + live_queries + live_handles + live_lists; }

static Card *card_of(uint64_t luid) {
    for (int i = 0; i < now_.card_count; i++)
        if (now_.cards[i].luid == luid) return &now_.cards[i];
    return NULL;
}

static void keep(char *to, size_t room, const char *value) {
    if (strlen(value) >= room) abort(); /* a scenario cut short tests something else */
    memcpy(to, value, strlen(value) + 1);
}

static void set_card(Card *card, const char *key, const char *value) {
    uint64_t number = strtoull(value, NULL, 0);
    if (!strcmp(key, "name")) keep(card->name, sizeof card->name, value);
    else if (!strcmp(key, "vendor")) card->vendor = (unsigned)number;
    else if (!strcmp(key, "device")) card->device = (unsigned)number;
    else if (!strcmp(key, "subsystem")) card->subsystem = (unsigned)number;
    else if (!strcmp(key, "dedicated")) card->dedicated = number;
    else if (!strcmp(key, "flags")) card->flags = (unsigned)number;
    else if (!strcmp(key, "integrated")) card->integrated = (int)number;
    else if (!strcmp(key, "kernel")) card->has_kernel = (int)number;
    else if (!strcmp(key, "performance")) card->has_performance = (int)number;
    else if (!strcmp(key, "bus")) card->bus = (unsigned)number;
    else if (!strcmp(key, "slot")) card->slot = (unsigned)number;
    else if (!strcmp(key, "function")) card->function = (unsigned)number;
    else if (!strcmp(key, "type")) card->type = (unsigned)number;
    else if (!strcmp(key, "temperature")) card->temperature = (unsigned)number;
    else if (!strcmp(key, "fan")) card->fan = (unsigned)number;
    else if (!strcmp(key, "fan_max")) card->fan_max = (unsigned)number;
    else if (!strcmp(key, "warning")) card->warning = (unsigned)number;
    else if (!strcmp(key, "status")) card->status = (unsigned)number;
    else if (!strcmp(key, "memory_hz")) card->memory_hz = number;
    else if (!strcmp(key, "node_hz")) card->node_hz = number;
    else abort(); /* a misspelt scenario tests nothing */
}

static void set_device(Device *device, const char *key, const char *value) {
    int number = (int)strtoul(value, NULL, 0);
    if (!strcmp(key, "enumerator")) keep(device->enumerator, sizeof device->enumerator, value);
    else if (!strcmp(key, "ids")) keep(device->ids, sizeof device->ids, value);
    else if (!strcmp(key, "compatible")) keep(device->compatible, sizeof device->compatible, value);
    else if (!strcmp(key, "service")) keep(device->service, sizeof device->service, value);
    else if (!strcmp(key, "name")) keep(device->name, sizeof device->name, value);
    else if (!strcmp(key, "version")) keep(device->version, sizeof device->version, value);
    else if (!strcmp(key, "display")) device->is_display = number;
    else if (!strcmp(key, "bus")) device->bus = number;
    else if (!strcmp(key, "address")) device->address = number;
    else if (!strcmp(key, "status")) device->status = (unsigned)number;
    else if (!strcmp(key, "problem")) device->problem = (unsigned)number;
    else abort();
}

static void read_line(char *line) {
    char key[40], value[LONG_LINE] = "", name[200];
    uint64_t luid;
    int index, counter;
    unsigned status = 0;
    double number;
    if (sscanf(line, "card %lli %39s %1023[^\n]", (long long *)&luid, key, value) >= 2) {
        Card *card = card_of(luid);
        if (!card) {
            card = &now_.cards[now_.card_count++];
            *card = (Card){.luid = luid, .integrated = -1, .has_kernel = 1, .has_performance = 1};
        }
        set_card(card, key, value);
    } else if (sscanf(line, "device %d %39s %1023[^\n]", &index, key, value) >= 2) {
        if (index >= now_.device_count) {
            now_.device_count = index + 1;
            now_.devices[index] = (Device){.enumerator = "PCI", .is_display = 1, .bus = -1, .address = -1};
        }
        set_device(&now_.devices[index], key, value);
    } else if (sscanf(line, "counter %39s", key) == 1) {
        for (counter = 0; counter < 3; counter++) now_.has_counter[counter] |= !strcmp(key, COUNTERS[counter]);
    } else if (sscanf(line, "row %39s %199s %lf %i", key, name, &number, (int *)&status) >= 3) {
        Row *row = &now_.rows[now_.row_count++];
        for (counter = 0; counter < 2 && strcmp(key, COUNTERS[counter]); counter++) {}
        *row = (Row){.counter = counter, .status = status, .value = number};
        keep(row->name, sizeof row->name, name);
    } else if (sscanf(line, "collect %i", (int *)&now_.collect_status) == 1) {
    } else if (sscanf(line, "id_list %399s", now_.id_list) == 1) {
    } else if (!strncmp(line, "outdated", 8)) {
        now_.is_current = 0;
    } else if (!strncmp(line, "crash", 5)) {
        now_.crash = 1;
    } else if (!strncmp(line, "garbage", 7)) {
        now_.garbage = 1;
    } else if (line[0] != '\n' && line[0]) {
        abort();
    }
}

static void look(void) {
    const char *path = getenv("FAKE_WINDOWS_SCENARIO");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[LONG_LINE];
    memset(&now_, 0, sizeof now_);
    now_.is_current = 1;
    if (!file) return;
    while (fgets(line, sizeof line, file)) read_line(line);
    fclose(file);
}

static uint32_t widen(uint16_t *to, const char *from, size_t room) {
    size_t i = 0;
    for (; from[i] && i + 1 < room; i++) to[i] = (unsigned char)from[i];
    to[i] = 0;
    return (uint32_t)(i + 1);
}

/* Objects of the component model. */

typedef struct Object {
    const void *const *table;
    int references;
    uint64_t luid;
} Object;

static int query_interface(Object *self, const GUID *id, void **out) { return (void)self, (void)id, *out = NULL, E_FAIL_; }
static uint32_t add_ref(Object *self) { return (uint32_t)++self->references; }
static uint32_t release(Object *self) {
    uint32_t left = (uint32_t)--self->references;
    if (!left) live_objects--, free(self);
    return left;
}
static int unexpected(void) { abort(); }

static int make(const void *const *table, uint64_t luid, void **out) {
    Object *object = malloc(sizeof *object);
    if (!object) abort();
    *object = (Object){table, 1, luid};
    live_objects++;
    *out = object;
    return 0;
}

static int describe(Object *self, DXGI_ADAPTER_DESC1 *out) {
    const Card *card = card_of(self->luid);
    if (now_.garbage) return memset(out, 0xFF, sizeof *out), out->Flags = 0, out->VendorId = 0xFFFE, out->AdapterLuid.LowPart = (uint32_t)self->luid, 0;
    if (!card) return E_FAIL_;
    memset(out, 0, sizeof *out);
    widen(out->Description, card->name, 128);
    out->VendorId = card->vendor, out->DeviceId = card->device, out->SubSysId = card->subsystem;
    out->DedicatedVideoMemory = card->dedicated, out->SharedSystemMemory = 1ull << 34, out->Flags = card->flags;
    out->AdapterLuid = (LUID){(uint32_t)card->luid, (int32_t)(card->luid >> 32)};
    return 0;
}

#define IUNKNOWN (void *)query_interface, (void *)add_ref, (void *)release
#define NO (void *)unexpected
/* IDXGIAdapter1: IUnknown, four of IDXGIObject, EnumOutputs, GetDesc, CheckInterfaceSupport, GetDesc1. */
static const void *const ADAPTER[] = {IUNKNOWN, NO, NO, NO, NO, NO, NO, NO, (void *)describe};

static int enum_adapters(Object *self, uint32_t index, void **out) {
    (void)self;
    if (now_.garbage) return make(ADAPTER, index % 2000, out);
    if (index >= (uint32_t)now_.card_count) return *out = NULL, DXGI_ERROR_NOT_FOUND_;
    return make(ADAPTER, now_.cards[index].luid, out);
}
static int is_current(Object *self) { return (void)self, look(), now_.is_current; }

/* IDXGIFactory1: IUnknown, four of IDXGIObject, five of IDXGIFactory, EnumAdapters1, IsCurrent. */
static const void *const FACTORY[] = {IUNKNOWN, NO, NO, NO, NO, NO, NO, NO, NO, NO, (void *)enum_adapters, (void *)is_current};

API int CreateDXGIFactory1(const GUID *id, void **out) {
    look();
    return id->Data1 == 0x770aae78 ? make(FACTORY, 0, out) : E_FAIL_;
}

static uint8_t knows(Object *self, uint32_t property) {
    const Card *card = card_of(self->luid);
    return property == 12 && card && card->integrated >= 0;
}
static int get_property(Object *self, uint32_t property, size_t size, void *out) {
    if (property != 12 || size != 1) return E_FAIL_;
    return *(uint8_t *)out = card_of(self->luid)->integrated == 1, 0;
}
/* IDXCoreAdapter: IUnknown, IsValid, IsAttributeSupported, IsPropertySupported, GetProperty. */
static const void *const CORE_ADAPTER[] = {IUNKNOWN, NO, NO, (void *)knows, (void *)get_property};

static int core_by_luid(Object *self, const LUID *luid, const GUID *id, void **out) {
    uint64_t number = (uint64_t)(uint32_t)luid->HighPart << 32 | luid->LowPart;
    (void)self;
    if (id->Data1 != 0xf0db4c7f || !card_of(number)) return *out = NULL, E_FAIL_;
    return make(CORE_ADAPTER, number, out);
}
/* IDXCoreAdapterFactory: IUnknown, CreateAdapterList, GetAdapterByLuid. */
static const void *const CORE_FACTORY[] = {IUNKNOWN, NO, (void *)core_by_luid};

API int DXCoreCreateAdapterFactory(const GUID *id, void **out) {
    look();
    return id->Data1 == 0x78ee5945 && !now_.garbage ? make(CORE_FACTORY, 0, out) : E_FAIL_;
}

/* The display kernel. */

API int D3DKMTOpenAdapterFromLuid(D3DKMT_OPENADAPTERFROMLUID *request) {
    look();
    for (int i = 0; i < now_.card_count; i++) {
        uint64_t luid = (uint64_t)(uint32_t)request->AdapterLuid.HighPart << 32 | request->AdapterLuid.LowPart;
        if (now_.cards[i].luid == luid && now_.cards[i].has_kernel)
            return live_handles++, request->hAdapter = (uint32_t)(0x40000000 + i), 0;
    }
    return now_.garbage ? live_handles++, request->hAdapter = 0x40000000, 0 : INVALID_PARAMETER_;
}
API int D3DKMTCloseAdapter(const D3DKMT_CLOSEADAPTER *request) { return live_handles--, (void)request, 0; }

static int fill(const D3DKMT_QUERYADAPTERINFO *request, const void *answer, size_t size) {
    if (request->PrivateDriverDataSize != size) return INVALID_PARAMETER_;
    memcpy(request->pPrivateDriverData, answer, size);
    return 0;
}

API int D3DKMTQueryAdapterInfo(const D3DKMT_QUERYADAPTERINFO *request) {
    look();
    if (now_.garbage) return memset(request->pPrivateDriverData, 0xFF, request->PrivateDriverDataSize), 0;
    const Card *card = &now_.cards[request->hAdapter - 0x40000000];
    if (card->status) return (int)card->status;
    switch (request->Type) {
    case 6: return fill(request, &(D3DKMT_ADAPTERADDRESS){card->bus, card->slot, card->function}, sizeof(D3DKMT_ADAPTERADDRESS));
    case 15: return fill(request, &(D3DKMT_ADAPTERTYPE){card->type}, sizeof(D3DKMT_ADAPTERTYPE));
    default: break;
    }
    if (!card->has_performance) return INVALID_PARAMETER_;
    D3DKMT_NODE_PERFDATA node = {.Frequency = card->node_hz};
    D3DKMT_ADAPTER_PERFDATA state = {
        .MemoryFrequency = card->memory_hz, .FanRPM = card->fan, .Power = 512, .Temperature = card->temperature};
    D3DKMT_ADAPTER_PERFDATACAPS limits = {.MaxFanRPM = card->fan_max, .TemperatureWarning = card->warning};
    switch (request->Type) {
    case 61: return fill(request, &node, sizeof node);
    case 62: return fill(request, &state, sizeof state);
    case 63: return fill(request, &limits, sizeof limits);
    default: return INVALID_PARAMETER_;
    }
}

/* Performance counters. A query is known by the number of its collections. */

API uint32_t PdhOpenQueryW(const void *source, uintptr_t user, void **out) {
    int *collections = calloc(1, sizeof *collections);
    (void)source, (void)user;
    look();
    live_queries++;
    *out = collections;
    return 0;
}
API uint32_t PdhCloseQuery(void *query) { return live_queries--, free(query), 0; }

static int *current_query;
API uint32_t PdhAddEnglishCounterW(void *query, const uint16_t *path, uintptr_t user, void **out) {
    (void)user;
    current_query = query;
    for (int counter = 0; counter < 3; counter++) {
        uint16_t wide[80];
        uint32_t letters = widen(wide, PATHS[counter], 80);
        if (!memcmp(path, wide, letters * 2) && (now_.has_counter[counter] || now_.garbage))
            return *out = (void *)(uintptr_t)(counter + 1), 0;
    }
    return NO_COUNTER;
}
API uint32_t PdhCollectQueryData(void *query) {
    look();
    if (!now_.collect_status) ++*(int *)query;
    return now_.collect_status;
}

API uint32_t PdhGetFormattedCounterArrayW(
    void *counter, uint32_t format, uint32_t *size, uint32_t *count, PDH_FMT_COUNTERVALUE_ITEM_W *items) {
    int wanted = (int)(uintptr_t)counter - 1;
    uint32_t rows = 0, bytes = 0, index = 0;
    if (format != 0x200) abort();
    if (now_.crash) *(volatile int *)(uintptr_t)16 = 1;
    if (now_.garbage) {
        for (uint32_t i = 0; i < *size / sizeof *items; i++)
            items[i] = (PDH_FMT_COUNTERVALUE_ITEM_W){(uint16_t *)(uintptr_t)(0x4141414141414141ull * (i % 2)), {.CStatus = 0}};
        items[2].szName = (uint16_t *)((char *)items + *size - 1);
        items[2].FmtValue.doubleValue = -1e300;
        return *count = 0xFFFFFFFF, *size = 0xFFFFFFFF, 0;
    }
    if (wanted == 1 && *current_query < 2) return INVALID_DATA; /* a rate needs two samples */
    for (int i = 0; i < now_.row_count; i++)
        if (now_.rows[i].counter == wanted) rows++, bytes += 2 * (uint32_t)(strlen(now_.rows[i].name) + 1);
    bytes += rows * (uint32_t)sizeof *items;
    if (bytes > *size) return *size = bytes, *count = rows, MORE_DATA;
    uint16_t *text = (uint16_t *)(items + rows);
    for (int i = 0; i < now_.row_count; i++)
        if (now_.rows[i].counter == wanted) {
            items[index] = (PDH_FMT_COUNTERVALUE_ITEM_W){text, {.CStatus = now_.rows[i].status, .doubleValue = now_.rows[i].value}};
            text += widen(text, now_.rows[i].name, 200);
            index++;
        }
    return *size = bytes, *count = rows, 0;
}

/* The list of devices. A list is known by its enumerator's letter count: PCI has three, PCIP four. */

API void *SetupDiGetClassDevsW(const GUID *class, const uint16_t *enumerator, void *window, uint32_t flags) {
    uintptr_t letters = 0;
    (void)window;
    if (class || flags != (2 | 4)) abort();
    look();
    while (enumerator[letters]) letters++;
    live_lists++;
    return (void *)letters;
}
API int SetupDiDestroyDeviceInfoList(void *list) { return live_lists--, (void)list, 1; }

API int SetupDiEnumDeviceInfo(void *list, uint32_t index, SP_DEVINFO_DATA *out) {
    static const GUID DISPLAY = {0x4d36e968, 0xe325, 0x11ce, {0xbf, 0xc1, 0x08, 0x00, 0x2b, 0xe1, 0x03, 0x18}};
    if (out->cbSize != sizeof *out) abort();
    if (now_.garbage) return out->ClassGuid = DISPLAY, 1;
    for (int i = 0; i < now_.device_count; i++)
        if (strlen(now_.devices[i].enumerator) == (uintptr_t)list && !index--)
            return out->DevInst = (uint32_t)i, out->ClassGuid = now_.devices[i].is_display ? DISPLAY : (GUID){0}, 1;
    return 0;
}

static int put(uint32_t *type, uint32_t kind, void *out, uint32_t room, uint32_t *size, const void *from, uint32_t length) {
    *type = kind, *size = length;
    return length <= room ? memcpy(out, from, length), 1 : 0;
}

/* Several texts are written with a ; between them. */
static int put_text(uint32_t *type, uint32_t kind, void *out, uint32_t room, uint32_t *size, const char *text) {
    uint16_t wide[400];
    uint32_t letters = widen(wide, text, 398);
    if (!*text) return 0;
    for (uint32_t i = 0; kind == 7 && i < letters; i++)
        if (wide[i] == ';') wide[i] = 0;
    if (kind == 7) wide[letters++] = 0;
    return put(type, kind, out, room, size, wide, 2 * letters);
}

API int SetupDiGetDeviceRegistryPropertyW(
    void *list, const SP_DEVINFO_DATA *info, uint32_t property, uint32_t *type, void *out, uint32_t room, uint32_t *size) {
    const Device *device = &now_.devices[info->DevInst];
    (void)list;
    if (now_.garbage) {
        static const char ID[] = "P\0C\0I\0\\\0V\0E\0N\0_\0F\0F\0F\0E\0&\0D\0E\0V\0_\0F\0F\0F\0F";
        memset(out, 0xDB, room); /* half of a letter, over and over */
        if (property == 1) memcpy(out, ID, sizeof ID);
        return *type = property == 1 ? 7 : property >= 0x15 ? 4 : 1, *size = 0xFFFFFFFF, 1;
    }
    switch (property) {
    case 0: return put_text(type, 1, out, room, size, device->name);
    case 1: return put_text(type, 7, out, room, size, device->ids);
    case 2: return put_text(type, 7, out, room, size, device->compatible);
    case 4: return put_text(type, 1, out, room, size, device->service);
    case 0x15: return device->bus >= 0 && put(type, 4, out, room, size, &device->bus, 4);
    case 0x1C: return device->address >= 0 && put(type, 4, out, room, size, &device->address, 4);
    default: return 0;
    }
}

API int SetupDiGetDevicePropertyW(
    void *list, const SP_DEVINFO_DATA *info, const DEVPROPKEY *key, uint32_t *type, void *out, uint32_t room,
    uint32_t *size, uint32_t flags) {
    (void)list, (void)flags;
    if (key->fmtid.Data1 != 0xa8b865dd || key->pid != 3) abort();
    if (now_.garbage) return memset(out, 0xDB, room), *type = 0x12, *size = 0xFFFFFFFF, 1;
    return put_text(type, 0x12, out, room, size, now_.devices[info->DevInst].version);
}

API uint32_t CM_Get_DevNode_Status(uint32_t *status, uint32_t *problem, uint32_t instance, uint32_t flags) {
    (void)flags;
    look(); /* its library may be another copy than the list's */
    if (now_.garbage) return *status = *problem = 0xFFFFFFFF, 0;
    return *status = now_.devices[instance].status, *problem = now_.devices[instance].problem, 0;
}
API uint32_t CM_Get_Device_ID_List_SizeW(uint32_t *letters, const uint16_t *filter, uint32_t flags) {
    if (filter[0] != 'P' || flags != 0x101) abort();
    look();
    return *letters = now_.garbage ? 0xFFFFFFFF : (uint32_t)strlen(now_.id_list) + 2, 0;
}
API uint32_t CM_Get_Device_ID_ListW(const uint16_t *filter, uint16_t *out, uint32_t letters, uint32_t flags) {
    (void)filter, (void)flags;
    return widen(out, now_.id_list, letters), 0;
}
